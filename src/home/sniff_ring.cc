#include "home/sniff_ring.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "packet/parse.h"

namespace beaconry {
namespace {

constexpr std::size_t kBlock = std::size_t{256} << 10;
constexpr std::uint32_t kSnap = 4096;  // a ping stands in a packet's beginning
constexpr std::uint64_t kNanoseconds = 1'000'000'000;

constexpr std::uint32_t ancillary(int what) {
  return static_cast<std::uint32_t>(SKF_AD_OFF + what);
}

// Offsets count from the network header.
constexpr sock_filter kFilter[] = {
    /* 0 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ancillary(SKF_AD_PKTTYPE)),
    /* 1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 33, 0),
    /* 2 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ancillary(SKF_AD_HATYPE)),
    /* 3 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_LOOPBACK, 31, 0),
    /* 4 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ancillary(SKF_AD_PROTOCOL)),
    /* 5 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 4, 0),
    /* 6 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 17, 0),
    /* 7 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021Q, 26, 0),
    /* 8 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021AD, 25, 0),
    /* 9 */ BPF_STMT(BPF_RET | BPF_K, 0),
    // IPv4: TCP that is no fragment
    /* 10 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
    /* 11 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kProtocolTcp, 0, 22),
    /* 12 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
    /* 13 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 20, 0),
    /* 14 */ BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
    /* 15 */ BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
    /* 16 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kTcpSyn | kTcpRst, 17, 0),
    /* 17 */ BPF_STMT(BPF_LD | BPF_B | BPF_IND, 12),
    /* 18 */ BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
    /* 19 */ BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2),
    /* 20 */ BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
    /* 21 */ BPF_STMT(BPF_MISC | BPF_TAX, 0),
    /* 22 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2),
    /* 23 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 11, 10),
    // IPv6: TCP without extension headers
    /* 24 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
    /* 25 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kProtocolTcp, 0, 8),
    /* 26 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 53),
    /* 27 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kTcpSyn | kTcpRst, 6, 0),
    /* 28 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 52),
    /* 29 */ BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
    /* 30 */ BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2),
    /* 31 */ BPF_STMT(BPF_MISC | BPF_TAX, 0),
    /* 32 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
    /* 33 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 1, 0),
    /* 34 */ BPF_STMT(BPF_RET | BPF_K, kSnap),
    /* 35 */ BPF_STMT(BPF_RET | BPF_K, 0),
};

Result<void> attach_filter(int fd) {
  sock_filter code[std::size(kFilter)];
  std::copy(std::begin(kFilter), std::end(kFilter), std::begin(code));
  const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
    return fail_errno("attach", "the sniffer's filter");
  }
  return {};
}

// Skips VLAN tags that the kernel left where they were: the first is off already, and `type` is
// what it said.
ByteView without_tags(ByteView bytes, std::uint16_t type) {
  while ((type == ETH_P_8021Q || type == ETH_P_8021AD) && bytes.size() >= 4) {
    type = static_cast<std::uint16_t>(bytes[2] << 8 | bytes[3]);
    bytes = bytes.subspan(4);
  }
  return type == ETH_P_IP || type == ETH_P_IPV6 ? bytes : ByteView{};
}

}  // namespace

Result<std::unique_ptr<SniffRing>> SniffRing::open(std::size_t bytes) {
  std::unique_ptr<SniffRing> ring(new SniffRing);
  if (auto done = ring->set_up(bytes); !done) return tl::unexpected<Error>(done.error());
  return ring;
}

SniffRing::~SniffRing() {
  if (map_ != nullptr) ::munmap(map_, block_count_ * kBlock);
}

Result<void> SniffRing::set_up(std::size_t bytes) {
  // Without a protocol, nothing comes before bind().
  socket_ = Fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket_) {
    if (errno == EPERM) {
      return fail(ErrorKind::io, "open", "the sniffer",
                  "not permitted: give the program CAP_NET_RAW");
    }
    return fail_errno("open", "the sniffer");
  }
  const int fd = socket_.get();
  const int version = TPACKET_V3;
  if (::setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0) {
    return fail_errno("use TPACKET_V3 for", "the sniffer");
  }
  block_count_ = std::max<std::size_t>(bytes / kBlock, 4);
  tpacket_req3 request{};
  request.tp_block_size = kBlock;
  request.tp_block_nr = static_cast<unsigned>(block_count_);
  request.tp_frame_size = 2048;  // of no meaning to version 3 beyond its checks
  request.tp_frame_nr = request.tp_block_nr * (request.tp_block_size / request.tp_frame_size);
  request.tp_retire_blk_tov = static_cast<unsigned>(kRetire.count());
  if (::setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0) {
    return fail_errno("make", "the sniffer's ring");
  }
  void* map = ::mmap(nullptr, block_count_ * kBlock, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) return fail_errno("map", "the sniffer's ring");
  map_ = static_cast<std::uint8_t*>(map);
  if (auto done = attach_filter(fd); !done) return done;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno("listen with", "the sniffer");
  }
  return {};
}

bool SniffRing::read(const std::function<void(const SniffedPacket&)>& take) {
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
    SniffedPacket packet;
    packet.bytes = without_tags({at + header.tp_net, header.tp_snaplen}, ntohs(from.sll_protocol));
    packet.interface = from.sll_ifindex;
    packet.nanoseconds = header.tp_sec * kNanoseconds + header.tp_nsec;
    if (!packet.bytes.empty()) take(packet);
    at += header.tp_next_offset;
  }
  status.store(TP_STATUS_KERNEL, std::memory_order_release);
  next_ = (next_ + 1) % block_count_;
  return true;
}

std::uint64_t SniffRing::take_drops() {
  tpacket_stats_v3 stats{};
  socklen_t size = sizeof stats;
  if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &size) != 0) return 0;
  return stats.tp_drops;  // the kernel begins anew with every question
}

}  // namespace beaconry
