#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "escape/config.h"
#include "escape/link.h"

namespace beaconry {

// What a try's frames need to be allowed.
enum Trait : std::uint32_t {
  kSpoofed = 1,    // a source address that is not ours
  kMalformed = 2,  // headers that no host sends
  kFragmented = 4,
  kSourceRouted = 8,
  kBroadcast = 16,    // to all hosts, or to a group
  kToNeighbour = 32,  // to a host that is neither gateway nor resolver nor home
};

// The budget contract, enforced at the one place where frames leave. One thread.
class Egress {
 public:
  enum class Verdict : std::uint8_t {
    sent,
    wait,       // not yet: try again at `when`
    forbidden,  // by address, MAC, method, profile or end date: `why` says which
  };
  struct Answer {
    Verdict verdict = Verdict::sent;
    Timestamp when{};
    std::string why;
  };
  struct Counters {
    std::uint64_t frames = 0, bytes = 0, broadcasts = 0, forbidden = 0, failed = 0;
  };

  // The link outlives this.
  Egress(const ProbeConfig& config, Link& link);

  // `traits` as the method declared them; what a frame itself shows (group address, fragment, a
  // source that is not `own`) is looked at as well, so that a method cannot forget one. ARP, ND and
  // DHCP of the probe itself count against packets and broadcasts and are allowed by every profile.
  Answer send(ByteView frame, MethodId method, std::uint32_t traits, Timestamp now);
  // Whether a profile would ever let it out, before anything is crafted; empty if so.
  std::string why_forbidden(MethodId method, std::uint32_t traits) const;
  // Addresses that are ours: a frame from another one is spoofed.
  void set_own(std::vector<IpAddress> own) { own_ = std::move(own); }

  const Counters& counters() const { return counters_; }

 private:
  struct Bucket {
    double a_second = 1, most = 1, level = 1;
    Timestamp filled{};
    Timestamp ready(double amount, Timestamp now);
    void take(double amount) { level -= amount; }
  };
  const ProbeConfig& config_;
  Link& link_;
  std::vector<IpAddress> own_;
  Bucket packets_, bytes_, broadcasts_;
  Counters counters_;
};

}  // namespace beaconry
