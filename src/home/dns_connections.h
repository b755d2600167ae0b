#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "home/receiver.h"
#include "home/zone.h"

namespace beaconry {

// Questions over TCP (RFC 7766): each with its length before it, up to kMostQuestions a connection.
// Bounded in number, time and bytes; who does not read its answers is closed. One thread; never
// blocks.
class DnsConnections {
 public:
  static constexpr std::size_t kMost = 128, kMostOfOne = 8;
  static constexpr int kMostQuestions = 64;
  static constexpr std::chrono::seconds kSilence{5}, kLongest{60};

  static Result<DnsConnections> listen(const std::vector<IpAddress>& addresses, std::uint16_t port);

  std::vector<int> descriptors() const;
  void work(Zone& zone, Desk& desk);

  struct Counts {
    std::uint64_t accepted = 0, refused = 0, open = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Connection {
    Fd socket;
    Observation where;
    Timestamp began{}, heard{};
    Bytes in;
    int questions = 0;
  };
  void accept_all(int listener, Timestamp now);
  bool serve(Connection& connection, Zone& zone, Desk& desk, Timestamp now);

  std::vector<Fd> listeners_;
  std::vector<Connection> connections_;
  Counts counts_;
};

}  // namespace beaconry
