#include "capture/packet_ring.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "capture/packet_spread.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

// Larger than any frame, segmentation offload included, as far as kSnap leaves it.
constexpr std::size_t kBlock = std::size_t{256} << 10;
// What names are read from stands in the first bytes; the rest need not be copied.
constexpr std::uint32_t kSnap = 4096;

Result<void> attach_filter(int fd, std::uint32_t snap, const std::string& interface) {
  sock_filter code[] = {{BPF_RET | BPF_K, 0, 0, snap}};
  sock_fprog program{1, code};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
    return fail_errno("attach a filter for", interface);
  }
  return {};
}

// ARPHRD_*, or -1.
int hardware_type(int fd, const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return ::ioctl(fd, SIOCGIFHWADDR, &request) == 0 ? request.ifr_hwaddr.sa_family : -1;
}

bool is_up(int fd, const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return ::ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
}

}  // namespace

int find_interface(int fd, const std::string& name) {
  ifreq request{};
  if (name.size() >= IFNAMSIZ) return 0;
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return ::ioctl(fd, SIOCGIFINDEX, &request) == 0 ? request.ifr_ifindex : 0;
}

Result<std::unique_ptr<PacketRing>> PacketRing::open(PacketGroup& group, const Options& options) {
  std::unique_ptr<PacketRing> ring(new PacketRing(group, options.share));
  if (auto done = ring->set_up(options.bytes); !done) {
    return tl::unexpected<Error>(done.error());
  }
  return ring;
}

PacketRing::~PacketRing() {
  if (map_ != nullptr) ::munmap(map_, block_count_ * kBlock);
}

Result<void> PacketRing::set_up(std::size_t bytes) {
  const std::string& name = group_.interface;
  // Without a protocol, nothing comes before bind().
  Fd probe(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!probe) {
    if (errno == EPERM) {
      return fail(ErrorKind::io, "open a packet socket on", name,
                  "not permitted: give the program CAP_NET_RAW");
    }
    return fail_errno("open a packet socket on", name);
  }
  index_ = find_interface(probe.get(), name);
  if (index_ == 0) return fail(ErrorKind::not_found, "capture on", name, "no such interface");
  const int type = hardware_type(probe.get(), name);
  loopback_ = type == ARPHRD_LOOPBACK;
  cooked_ = !loopback_ && type != ARPHRD_ETHER;
  link_type_ = cooked_ ? kLinkRaw : kLinkEthernet;
  socket_ = cooked_ ? Fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) : std::move(probe);
  if (!socket_) return fail_errno("open a packet socket on", name);
  const int fd = socket_.get();

  const int version = TPACKET_V3;
  if (::setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0) {
    return fail_errno("use TPACKET_V3 on", name);
  }
  block_count_ = std::max<std::size_t>(bytes / kBlock, 4);
  tpacket_req3 request{};
  request.tp_block_size = kBlock;
  request.tp_block_nr = static_cast<unsigned>(block_count_);
  request.tp_frame_size = 2048;  // of no meaning to version 3 beyond its checks
  request.tp_frame_nr = request.tp_block_nr * (request.tp_block_size / request.tp_frame_size);
  request.tp_retire_blk_tov = static_cast<unsigned>(kRetire.count());
  if (::setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0) {
    return fail_errno("make a packet ring for", name);
  }
  void* map = ::mmap(nullptr, block_count_ * kBlock, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) return fail_errno("map the packet ring of", name);
  map_ = static_cast<std::uint8_t*>(map);

  // Between bind() and joining the group a socket would get all packets, so that some came twice.
  if (auto done = attach_filter(fd, 0, name); !done) return done;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = index_;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno("bind a packet socket to", name);
  }
  if (!loopback_ && !cooked_) {  // on capture ports nothing is addressed to us
    packet_mreq membership{};
    membership.mr_ifindex = index_;
    membership.mr_type = PACKET_MR_PROMISC;
    if (::setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership) != 0) {
      return fail_errno("listen to all packets of", name);
    }
  }
  return {};
}

Result<bool> PacketRing::activate() {
  if (active_) return true;
  if (share_) {
    const auto joined = join();
    if (!joined || !*joined) return joined;
  }
  if (auto done = attach_filter(socket_.get(), kSnap, group_.interface); !done) {
    return tl::unexpected<Error>(done.error());
  }
  active_ = true;
  return true;
}

Result<bool> PacketRing::join() {
  const std::lock_guard lock(group_.mutex);
  if (group_.index != index_) {
    group_.index = index_;
    group_.id = -1;
  }
  int flags = PACKET_FANOUT_CBPF;
  if (group_.id < 0) flags |= PACKET_FANOUT_FLAG_UNIQUEID;
  const int argument = (group_.id < 0 ? 0 : group_.id) | flags << 16;
  if (::setsockopt(socket_.get(), SOL_PACKET, PACKET_FANOUT, &argument, sizeof argument) != 0) {
    if (errno == EINVAL && !is_up(socket_.get(), group_.interface)) return false;
    return fail_errno("share the packets of", group_.interface);
  }
  int got = 0;
  socklen_t size = sizeof got;
  if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_FANOUT, &got, &size) != 0) {
    return fail_errno("share the packets of", group_.interface);
  }
  group_.id = got & 0xffff;
  auto code = address_spread(!cooked_);
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (::setsockopt(socket_.get(), SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof program) != 0) {
    return fail_errno("spread the packets of", group_.interface);
  }
  return true;
}

bool PacketRing::read(const std::function<void(const RingFrame&)>& take) {
  auto* block = reinterpret_cast<tpacket_block_desc*>(map_ + next_ * kBlock);
  std::atomic_ref<std::uint32_t> status(block->hdr.bh1.block_status);
  if ((status.load(std::memory_order_acquire) & TP_STATUS_USER) == 0) return false;
  const auto* base = reinterpret_cast<const std::uint8_t*>(block);
  const std::uint8_t* at = base + block->hdr.bh1.offset_to_first_pkt;
  for (std::uint32_t left = block->hdr.bh1.num_pkts; left > 0; --left) {
    tpacket3_hdr header;
    std::memcpy(&header, at, sizeof header);
    sockaddr_ll from;
    std::memcpy(&from, at + TPACKET_ALIGN(sizeof header), sizeof from);
    const bool seen = loopback_ && from.sll_pkttype == PACKET_OUTGOING;
    if (!seen) {
      RingFrame frame;
      frame.data = at + (cooked_ ? header.tp_net : header.tp_mac);
      frame.captured = header.tp_snaplen;
      frame.wire_length = header.tp_len;
      frame.link_type = link_type_;
      frame.stripped_tag = (header.tp_status & TP_STATUS_VLAN_VALID) != 0;
      frame.time = Timestamp{std::chrono::seconds{header.tp_sec}} + Duration{header.tp_nsec / 1000};
      take(frame);
    }
    at += header.tp_next_offset;
  }
  status.store(TP_STATUS_KERNEL, std::memory_order_release);
  next_ = (next_ + 1) % block_count_;
  return true;
}

std::uint64_t PacketRing::take_drops() {
  tpacket_stats_v3 stats{};
  socklen_t size = sizeof stats;
  if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &size) != 0) return 0;
  return stats.tp_drops;  // the kernel begins anew with every question
}

void PacketRing::clear_error() {
  int error = 0;
  socklen_t size = sizeof error;
  (void)::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
}

}  // namespace beaconry
