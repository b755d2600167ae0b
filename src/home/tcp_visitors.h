#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "base/fd.h"
#include "home/receiver.h"

namespace beaconry {

// The connections of listening sockets: accepted, read and answered by VisitStream, within limits
// of number, bytes and time. One thread; never blocks.
class TcpVisitors {
 public:
  static constexpr std::chrono::seconds kSilence{15};  // without a byte
  static constexpr std::chrono::seconds kLongest{120};
  static constexpr std::size_t kMostOfOne = 64;  // of one IPv4 address or IPv6 /64

  static Result<std::unique_ptr<TcpVisitors>> make(std::size_t most_connections);
  virtual ~TcpVisitors() = default;

  // Outlives this. Non-blocking.
  virtual Result<void> listen_to(int listener) = 0;
  virtual int descriptor() const = 0;  // readable: there is something to do
  virtual void work(Desk& desk) = 0;

  struct Counts {
    std::uint64_t accepted = 0, refused = 0, timed_out = 0, bytes = 0, open = 0;
  };
  virtual Counts counts() const = 0;
};

}  // namespace beaconry
