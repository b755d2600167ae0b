#include "home/dns_datagrams.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <tuple>

#include "home/socket_address.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

constexpr int kAtOnce = 1024;
constexpr std::size_t kLongest = 4096;  // that is read of a datagram
constexpr std::size_t kControl = 256;
constexpr int kBuffer = 4 << 20;

bool set_option(int socket, int level, int option, int value = 1) {
  return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

template <class Info>
void put(msghdr& header, int level, int type, const Info& info) {
  cmsghdr& one = *CMSG_FIRSTHDR(&header);
  one.cmsg_level = level;
  one.cmsg_type = type;
  one.cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(&one), &info, sizeof info);
  header.msg_controllen = CMSG_SPACE(sizeof info);
}

}  // namespace

// What the kernel says beside a datagram, and who sent it.
struct DnsDatagrams::Beside {
  sockaddr_storage from{};
  socklen_t from_size = sizeof from;
  IpAddress destination;
  in_pktinfo v4{};
  in6_pktinfo v6{};
  std::uint8_t ttl = 0;

  void read(msghdr& header) {
    from_size = header.msg_namelen;
    for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
      const auto is = [&](int level, int type) {
        return one->cmsg_level == level && one->cmsg_type == type;
      };
      if (is(SOL_IP, IP_PKTINFO)) {
        std::memcpy(&v4, CMSG_DATA(one), sizeof v4);
        destination = IpAddress::v4(ntohl(v4.ipi_addr.s_addr));
      } else if (is(SOL_IPV6, IPV6_PKTINFO)) {
        std::memcpy(&v6, CMSG_DATA(one), sizeof v6);
        destination = IpAddress::v6_bytes(v6.ipi6_addr.s6_addr);
      } else if (is(SOL_IP, IP_TTL) || is(SOL_IPV6, IPV6_HOPLIMIT)) {
        int value = 0;
        std::memcpy(&value, CMSG_DATA(one), sizeof value);
        ttl = static_cast<std::uint8_t>(value);
      }
    }
  }
};

Result<BoundSocket> open_bound(const IpAddress& address, std::uint16_t port, int type) {
  const bool is_v4 = address.is_v4();
  const std::string subject = (type == SOCK_DGRAM ? "UDP port " : "TCP port ") +
                              std::to_string(port) + " of " + address.to_string();
  BoundSocket made{Fd(::socket(is_v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
                   0};
  if (!made.socket) return fail_errno("open", subject);
  const int socket = made.socket.get();
  // Beside a resolver at 127.0.0.53 that allows it, too.
  if (type == SOCK_STREAM || address.is_unspecified()) {
    set_option(socket, SOL_SOCKET, SO_REUSEADDR);
  }
  sockaddr_storage at{};
  socklen_t size = sizeof(sockaddr_in);
  if (is_v4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(address.v4_value());
    v4.sin_port = htons(port);
    std::memcpy(&at, &v4, sizeof v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    std::memcpy(&v6.sin6_addr, address.bytes().data(), sizeof v6.sin6_addr);
    v6.sin6_port = htons(port);
    std::memcpy(&at, &v6, sizeof v6);
    size = sizeof v6;
    set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY);
  }
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&at), size) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
    return fail_errno("take", subject);
  }
  made.port = from_socket_address(at).second;
  return made;
}

Result<DnsDatagrams> DnsDatagrams::open(const IpAddress& address, std::uint16_t port) {
  auto made = open_bound(address, port, SOCK_DGRAM);
  if (!made) return tl::unexpected<Error>(std::move(made.error()));
  DnsDatagrams datagrams;
  datagrams.socket_ = std::move(made->socket);
  datagrams.port_ = made->port;
  datagrams.is_v4_ = address.is_v4();
  const int socket = datagrams.socket_.get();
  const bool told = datagrams.is_v4_ ? set_option(socket, SOL_IP, IP_PKTINFO) &&
                                           set_option(socket, SOL_IP, IP_RECVTTL)
                                     : set_option(socket, SOL_IPV6, IPV6_RECVPKTINFO) &&
                                           set_option(socket, SOL_IPV6, IPV6_RECVHOPLIMIT);
  if (!told) return fail_errno("learn destinations of", "questions");
  if (!set_option(socket, SOL_SOCKET, SO_RCVBUFFORCE, kBuffer)) {
    set_option(socket, SOL_SOCKET, SO_RCVBUF, kBuffer);
  }
  return datagrams;
}

void DnsDatagrams::work(Zone& zone, Desk& desk) {
  for (int i = 0; i < kAtOnce; ++i) {
    if (!take(zone, desk)) return;
  }
}

bool DnsDatagrams::take(Zone& zone, Desk& desk) {
  std::array<std::uint8_t, kLongest> bytes;
  alignas(cmsghdr) std::array<char, kControl> control;
  Beside beside;
  iovec piece{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_name = &beside.from;
  header.msg_namelen = sizeof beside.from;
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket_.get(), &header, MSG_DONTWAIT);
  if (got < 0) return errno == EINTR;
  beside.read(header);
  Observation seen;
  std::tie(seen.source, seen.source_port) = from_socket_address(beside.from);
  seen.destination = beside.destination;
  seen.destination_port = port_;
  seen.protocol = kProtocolUdp;
  seen.ttl = beside.ttl;
  auto answer = zone.answer(ByteView(bytes).first(static_cast<std::size_t>(got)),
                            Zone::Transport::udp, seen, desk);
  if (answer) send(beside, std::move(*answer));
  return true;
}

void DnsDatagrams::send(const Beside& beside, Bytes answer) {
  alignas(cmsghdr) std::array<char, kControl> control{};
  sockaddr_storage to = beside.from;
  iovec piece{answer.data(), answer.size()};
  msghdr header{};
  header.msg_name = &to;
  header.msg_namelen = beside.from_size;
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  if (is_v4_) {
    in_pktinfo from{};
    from.ipi_spec_dst = beside.v4.ipi_spec_dst;
    put(header, SOL_IP, IP_PKTINFO, from);
  } else {
    put(header, SOL_IPV6, IPV6_PKTINFO, beside.v6);
  }
  if (::sendmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) ++unsent_;
}

}  // namespace beaconry
