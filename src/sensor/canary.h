#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "image/manifest.h"
#include "sensor/network.h"

namespace beaconry {

// Puts the canary's packets (canary_traffic.h) on interfaces: the host's ends of veth pairs whose
// other end an instrument with `canary: true` in its manifest receives on. To that end they come as
// mirrored traffic does; the interface that is mirrored never sees them. One thread; nothing
// blocks. Time is one that nobody can set.
class Canary {
 public:
  using Clock = std::chrono::steady_clock;

  // The host's ends of an instance's interfaces that get it: those that only receive and are one
  // end of a veth pair. None where the manifest does not ask.
  static std::vector<std::string> interfaces_of(const std::string& instance,
                                                const Manifest& manifest,
                                                const std::vector<InterfaceWish>& wishes);
  // Needs CAP_NET_RAW.
  static Result<std::unique_ptr<Canary>> open();

  // All that get packets from now on, by the host's names; others' counters are forgotten.
  void set_interfaces(const std::vector<std::string>& interfaces);
  // Sends what is due. Call it at least every half second: the canary's rhythm is what is measured.
  void work(Clock::time_point now);
  std::chrono::milliseconds pause(Clock::time_point now) const;  // until something is due

  struct Report {
    std::uint64_t sent = 0, failed = 0;
    std::string error;  // of the last one; empty: it was sent
  };
  const std::map<std::string, Report>& reports() const { return reports_; }

 private:
  explicit Canary(Fd socket) : socket_(std::move(socket)) {}
  Result<void> send(const std::string& interface);

  Fd socket_;
  std::map<std::string, Report> reports_;
  Clock::time_point next_{};
  std::uint16_t round_ = 0;
};

}  // namespace beaconry
