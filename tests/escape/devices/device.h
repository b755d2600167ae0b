#pragma once
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "base/ip_address.h"
#include "packet/craft.h"
#include "packet/parse.h"

// What the devices of this folder share: small programs that stand in for equipment that Linux
// cannot be, in namespaces of tests only. They end by signal, or with words and status 1 where they
// cannot begin.
namespace beaconry::device {

[[noreturn]] inline void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

// Tells who started the device that what is sent from now on reaches it.
inline void ready() {
  std::fputs("ready\n", stderr);
}

inline int interface_index(const char* name) {
  const unsigned index = if_nametoindex(name);
  if (index == 0) fail(name);
  return static_cast<int>(index);
}

// Every frame that an interface receives, whomever it is for.
class FrameSocket {
 public:
  struct Received {
    Bytes frame;               // with its VLAN tag, which the kernel had put aside
    std::uint8_t to_whom = 0;  // PACKET_HOST, PACKET_BROADCAST, …
  };

  explicit FrameSocket(const char* interface)
      : descriptor_(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))) {
    if (descriptor_ < 0) fail("packet socket");
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ETH_P_ALL);
    at.sll_ifindex = interface_index(interface);
    if (bind(descriptor_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) fail(interface);
    packet_mreq all{};
    all.mr_ifindex = at.sll_ifindex;
    all.mr_type = PACKET_MR_PROMISC;
    const int on = 1;
    if (setsockopt(descriptor_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) != 0 ||
        setsockopt(descriptor_, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) != 0) {
      fail("packet socket's options");
    }
  }
  FrameSocket(const FrameSocket&) = delete;
  FrameSocket& operator=(const FrameSocket&) = delete;
  ~FrameSocket() { close(descriptor_); }

  // Waits for the next one that somebody else sent.
  Received receive() const {
    for (;;) {
      std::array<std::uint8_t, 65'536> buffer;
      alignas(cmsghdr) std::array<std::uint8_t, 256> control;
      sockaddr_ll from{};
      iovec part{buffer.data(), buffer.size()};
      msghdr message{};
      message.msg_name = &from;
      message.msg_namelen = sizeof from;
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const ssize_t size = recvmsg(descriptor_, &message, 0);
      if (size < 0 && errno != EINTR) fail("recvmsg");
      if (size < 14 || from.sll_pkttype == PACKET_OUTGOING) continue;
      Received got;
      got.frame.assign(buffer.begin(), buffer.begin() + size);
      got.to_whom = from.sll_pkttype;
      for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA) continue;
        tpacket_auxdata said;
        std::memcpy(&said, CMSG_DATA(c), sizeof said);
        if ((said.tp_status & TP_STATUS_VLAN_VALID) == 0) continue;
        const std::uint16_t type =
            (said.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? said.tp_vlan_tpid : 0x8100;
        const Bytes tag{static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type),
                        static_cast<std::uint8_t>(said.tp_vlan_tci >> 8),
                        static_cast<std::uint8_t>(said.tp_vlan_tci)};
        got.frame.insert(got.frame.begin() + 12, tag.begin(), tag.end());
      }
      return got;
    }
  }
  void send(ByteView frame) const {
    if (::send(descriptor_, frame.data(), frame.size(), 0) < 0) std::perror("send");
  }

 private:
  int descriptor_;
};

// Whole IP packets of either family out of one interface; the kernel finds the next hop.
class PacketSender {
 public:
  explicit PacketSender(const char* interface)
      : v4_(open(AF_INET, interface)), v6_(open(AF_INET6, interface)) {
    const int on = 1;
    if (setsockopt(v6_, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof on) != 0) fail("IPV6_HDRINCL");
  }
  PacketSender(const PacketSender&) = delete;
  PacketSender& operator=(const PacketSender&) = delete;
  ~PacketSender() {
    close(v4_);
    close(v6_);
  }

  void send(ByteView packet) const {
    ssize_t sent = -1;
    if (packet[0] >> 4 == 4) {
      sockaddr_in to{};
      to.sin_family = AF_INET;
      std::memcpy(&to.sin_addr, packet.data() + 16, 4);
      sent = sendto(v4_, packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                    sizeof to);
    } else {
      sockaddr_in6 to{};
      to.sin6_family = AF_INET6;
      std::memcpy(&to.sin6_addr, packet.data() + 24, 16);
      sent = sendto(v6_, packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                    sizeof to);
    }
    if (sent < 0) std::perror("sendto");
  }

 private:
  static int open(int family, const char* interface) {
    const int descriptor = socket(family, SOCK_RAW, IPPROTO_RAW);
    if (descriptor < 0) fail("raw socket");
    if (setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface,
                   static_cast<socklen_t>(std::strlen(interface))) != 0) {
      fail(interface);
    }
    return descriptor;
  }
  int v4_, v6_;
};

// The IP packet of an untagged frame, cut to the length that it says.
inline std::optional<Bytes> packet_of(ByteView frame) {
  if (frame.size() < 14) return std::nullopt;
  const std::uint16_t type = parse_be16(frame.data() + 12);
  const ByteView rest = frame.subspan(14);
  std::size_t length = 0;
  if (type == 0x0800 && rest.size() >= 20) length = parse_be16(rest.data() + 2);
  if (type == 0x86dd && rest.size() >= 40) length = 40U + parse_be16(rest.data() + 4);
  if (length < 20 || length > rest.size()) return std::nullopt;
  return Bytes(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(length));
}

// As a router: one hop less to live, or nothing.
inline bool age(Bytes& packet) {
  const bool v4 = packet[0] >> 4 == 4;
  std::uint8_t& ttl = packet[v4 ? 8 : 7];
  if (ttl <= 1) return false;
  --ttl;
  if (v4) {
    packet[10] = packet[11] = 0;
    const std::size_t header = (packet[0] & 15U) * 4U;
    const std::uint16_t sum = finish_checksum(add_to_checksum(0, ByteView(packet).first(header)));
    packet[10] = static_cast<std::uint8_t>(sum >> 8);
    packet[11] = static_cast<std::uint8_t>(sum);
  }
  return true;
}

}  // namespace beaconry::device
