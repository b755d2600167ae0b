#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "base/fd.h"
#include "base/result.h"
#include "base/time.h"
#include "packet/found_name.h"

namespace beaconry {

// One packet from its network header on, living until the next call of the ring.
struct SniffedPacket {
  ByteView bytes;
  int interface = 0;
  std::uint64_t nanoseconds = 0;  // the kernel's time, since 1970
};

// A TPACKET_V3 ring of what comes in at all interfaces but loopback, those included that appear
// later. The kernel leaves out what goes out, what is not IP, and TCP segments that carry nothing
// and neither begin nor reset a connection, so that the machine's own traffic costs little. Packets
// that are addressed to others do not come: nothing is promiscuous. One thread.
class SniffRing {
 public:
  // Needs CAP_NET_RAW to open and nothing later.
  static Result<std::unique_ptr<SniffRing>> open(std::size_t bytes = std::size_t{32} << 20);
  ~SniffRing();
  SniffRing(const SniffRing&) = delete;
  SniffRing& operator=(const SniffRing&) = delete;

  int descriptor() const { return socket_.get(); }
  // Calls `take` for all packets of one block that the kernel has filled, then gives the block
  // back; false if there is none. A block is handed over when it is full or kRetire old.
  bool read(const std::function<void(const SniffedPacket&)>& take);
  static constexpr std::chrono::milliseconds kRetire{20};

  // Packets that found the ring full since the last call.
  std::uint64_t take_drops();

 private:
  SniffRing() = default;
  Result<void> set_up(std::size_t bytes);

  Fd socket_;
  std::uint8_t* map_ = nullptr;
  std::size_t block_count_ = 0, next_ = 0;
};

}  // namespace beaconry
