#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "base/time.h"

namespace beaconry {

// The sockets of one interface, one a thread, among which the kernel spreads its packets: see
// packet_spread.h. Both directions of a flow come to the same one.
struct PacketGroup {
  std::string interface;
  std::mutex mutex;  // guards what follows
  int index = 0;     // of the interface the sockets are bound to
  int id = -1;       // of the fanout group, once its first socket made it
};

// One frame, living until the next call of the ring.
struct RingFrame {
  const std::uint8_t* data = nullptr;
  std::uint32_t captured = 0;
  std::uint32_t wire_length = 0;
  std::uint32_t link_type = 0;  // as parse_packet() takes it
  bool stripped_tag = false;    // the driver took a VLAN tag off
  Timestamp time{};             // the kernel's
};

// A TPACKET_V3 ring on one interface: one thread's share of its packets, in both directions. The
// loopback interface shows every packet twice; here it is given once. One thread.
class PacketRing {
 public:
  struct Options {
    bool share = false;  // with other rings of the group
    std::size_t bytes = std::size_t{8} << 20;
  };
  // Needs CAP_NET_RAW. The group outlives the ring. Nothing comes before activate().
  static Result<std::unique_ptr<PacketRing>> open(PacketGroup& group, const Options& options);
  ~PacketRing();
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;

  // From now on packets come. False if the interface is down, so that this is to be tried again;
  // once active, a ring stays so while its interface goes down and comes back. Needs no capability.
  Result<bool> activate();
  bool active() const { return active_; }

  int fd() const { return socket_.get(); }
  int interface_index() const { return index_; }

  // Calls `take` for all frames of one block that the kernel has filled, then gives the block back;
  // false if there is none. A block is handed over when it is full or kRetire old.
  bool read(const std::function<void(const RingFrame&)>& take);
  static constexpr std::chrono::milliseconds kRetire{50};

  // Packets that found the ring full since the last call.
  std::uint64_t take_drops();
  // Clears a pending error ("network is down"), so that poll() does not report it again.
  void clear_error();

 private:
  PacketRing(PacketGroup& group, bool share) : group_(group), share_(share) {}
  Result<void> set_up(std::size_t bytes);
  Result<bool> join();

  PacketGroup& group_;
  bool share_;
  bool active_ = false;
  Fd socket_;
  int index_ = 0;
  std::uint32_t link_type_ = 0;
  bool cooked_ = false;  // frames without a link header
  bool loopback_ = false;
  std::uint8_t* map_ = nullptr;
  std::size_t block_count_ = 0;
  std::size_t next_ = 0;
};

// The number of an interface now, or 0 where there is none of that name.
int find_interface(int fd, const std::string& name);

}  // namespace beaconry
