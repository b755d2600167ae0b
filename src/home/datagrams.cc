#include "home/datagrams.h"

#include <arpa/inet.h>
#include <linux/in6.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>
#include <vector>

#include "home/socket_address.h"
#include "packet/parse.h"
#include "ping/seal.h"

namespace beaconry {
namespace {

constexpr unsigned kAtOnce = 64, kRounds = 64;
constexpr std::size_t kLongest = 4096, kControl = 256;
constexpr int kBuffer = 32 << 20;

bool set_option(int socket, int level, int option, int value = 1) {
  return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

class SteeredDatagrams final : public Datagrams {
 public:
  SteeredDatagrams(Fd socket, std::uint16_t port) : socket_(std::move(socket)), port_(port) {
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      pieces_[i] = {bytes_.data() + i * kLongest, kLongest};
      msghdr& header = messages_[i].msg_hdr;
      header.msg_iov = &pieces_[i];
      header.msg_iovlen = 1;
      header.msg_name = &from_[i];
      header.msg_control = control_.data() + i * kControl;
    }
  }
  int descriptor() const override { return socket_.get(); }
  std::uint16_t port() const override { return port_; }
  const Counts& counts() const override { return counts_; }

  void work(Desk& desk, AnswerSocket& answers) override {
    for (unsigned round = 0; round < kRounds; ++round) {
      for (mmsghdr& message : messages_) {
        message.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
        message.msg_hdr.msg_controllen = kControl;
      }
      const int got = ::recvmmsg(socket_.get(), messages_.data(), kAtOnce, MSG_DONTWAIT, nullptr);
      if (got <= 0) return;
      for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i)
        take(desk, answers, i);
      if (static_cast<unsigned>(got) < kAtOnce) return;
    }
  }

 private:
  void read_control(msghdr& header, Observation& seen) {
    for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
      const auto is = [&](int level, int type) {
        return one->cmsg_level == level && one->cmsg_type == type;
      };
      if (is(SOL_IP, IP_ORIGDSTADDR) || is(SOL_IPV6, IPV6_ORIGDSTADDR)) {
        sockaddr_storage to{};
        std::memcpy(&to, CMSG_DATA(one),
                    std::min<std::size_t>(sizeof to, one->cmsg_len - CMSG_LEN(0)));
        std::tie(seen.destination, seen.destination_port) = from_socket_address(to);
      } else if (is(SOL_IP, IP_TTL) || is(SOL_IPV6, IPV6_HOPLIMIT)) {
        int ttl = 0;
        std::memcpy(&ttl, CMSG_DATA(one), sizeof ttl);
        seen.ttl = static_cast<std::uint8_t>(ttl);
      } else if (is(SOL_SOCKET, SO_RXQ_OVFL)) {
        std::uint32_t drops = 0;
        std::memcpy(&drops, CMSG_DATA(one), sizeof drops);
        counts_.drops += static_cast<std::uint32_t>(drops - drops_told_);
        drops_told_ = drops;
      }
    }
  }

  void take(Desk& desk, AnswerSocket& answers, std::size_t i) {
    ++counts_.packets;
    const ByteView payload(bytes_.data() + i * kLongest, messages_[i].msg_len);
    const auto found = find_ping(payload);
    Observation seen;
    read_control(messages_[i].msg_hdr, seen);
    if (!found) return;
    ++counts_.pings;
    seen.received = desk.now();
    seen.receiver = "udp";
    seen.carrier = found->as_text ? Carrier::text : Carrier::payload;
    seen.protocol = kProtocolUdp;
    std::tie(seen.source, seen.source_port) = from_socket_address(from_[i]);
    seen.raw.assign(as_text(payload.first(std::min(payload.size(), Observation::kMostRaw))));
    Observation to;
    to.source = seen.source;
    to.destination = seen.destination;
    to.source_port = seen.source_port;
    to.destination_port = seen.destination_port;
    const auto answer = desk.found(found->sealed, std::move(seen));
    if (answer && answers.send_udp(to, answer->reply)) ++counts_.answers;
  }

  Fd socket_;
  std::uint16_t port_;
  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(kAtOnce * kLongest);
  std::vector<char> control_ = std::vector<char>(kAtOnce * kControl);
  std::array<mmsghdr, kAtOnce> messages_{};
  std::array<iovec, kAtOnce> pieces_{};
  std::array<sockaddr_storage, kAtOnce> from_{};
  std::uint32_t drops_told_ = 0;
  Counts counts_;
};

}  // namespace

Result<LoopbackSocket> open_on_loopback(int family, int type) {
  LoopbackSocket made{Fd(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))};
  if (!made.socket) return fail_errno("open", "a socket");
  sockaddr_storage address{};
  socklen_t size = sizeof(sockaddr_in);
  address.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::memcpy(&address, &v4, sizeof v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    std::memcpy(&address, &v6, sizeof v6);
    size = sizeof v6;
    set_option(made.socket.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  }
  if (::bind(made.socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::getsockname(made.socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return fail_errno("bind", "a socket on loopback");
  }
  made.port = from_socket_address(address).second;
  return made;
}

Result<std::unique_ptr<Datagrams>> Datagrams::open(int family) {
  auto made = open_on_loopback(family, SOCK_DGRAM);
  if (!made) return tl::unexpected<Error>(std::move(made.error()));
  const int socket = made->socket.get();
  const bool told = family == AF_INET ? set_option(socket, SOL_IP, IP_RECVORIGDSTADDR) &&
                                            set_option(socket, SOL_IP, IP_RECVTTL)
                                      : set_option(socket, SOL_IPV6, IPV6_RECVORIGDSTADDR) &&
                                            set_option(socket, SOL_IPV6, IPV6_RECVHOPLIMIT);
  if (!told) return fail_errno("learn destinations of", "UDP datagrams");
  if (!set_option(socket, SOL_SOCKET, SO_RCVBUFFORCE, kBuffer)) {
    set_option(socket, SOL_SOCKET, SO_RCVBUF, kBuffer);
  }
  set_option(socket, SOL_SOCKET, SO_RXQ_OVFL);
  return std::make_unique<SteeredDatagrams>(std::move(made->socket), made->port);
}

}  // namespace beaconry
