#include "home/answer_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "packet/craft.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

constexpr std::uint8_t kEchoReply = 0, kEchoReply6 = 129;

bool is_one_host(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast() &&
         !address.is_loopback() &&
         !(address.is_v4() && (address.v4_value() >> 24 == 0 || address.v4_value() >> 28 == 15));
}

bool may_answer(const Observation& to) {
  return is_one_host(to.source) && is_one_host(to.destination) && to.source != to.destination;
}

}  // namespace

Result<AnswerSocket> AnswerSocket::open() {
  AnswerSocket answer;
  constexpr int kType = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK;
  answer.v4_ = Fd(::socket(AF_INET, kType, IPPROTO_RAW));
  if (!answer.v4_) return fail_errno("open", "a raw socket for answers (CAP_NET_RAW)");
  answer.v6_ = Fd(::socket(AF_INET6, kType, IPPROTO_RAW));  // not where the kernel has no IPv6
  return answer;
}

bool AnswerSocket::send_udp(const Observation& to, ByteView payload) {
  if (!may_answer(to) || to.source_port == 0) return false;
  return send(to, kProtocolUdp,
              udp(to.destination, to.source, to.destination_port, to.source_port, payload));
}

bool AnswerSocket::send_echo(const Observation& to, std::uint32_t identifier_and_sequence,
                             ByteView payload) {
  if (!may_answer(to)) return false;
  if (to.source.is_v4()) {
    return send(to, kProtocolIcmp, icmp(kEchoReply, 0, identifier_and_sequence, payload));
  }
  return send(to, kProtocolIcmpv6,
              icmpv6(to.destination, to.source, kEchoReply6, 0, identifier_and_sequence, payload));
}

bool AnswerSocket::send(const Observation& to, std::uint8_t protocol, ByteView transport) {
  const Bytes packet = ip(to.destination, to.source, protocol, transport);
  if (to.source.is_v4()) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(to.source.v4_value());
    return ::sendto(v4_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                    reinterpret_cast<const sockaddr*>(&address),
                    sizeof address) == static_cast<ssize_t>(packet.size());
  }
  if (!v6_) return false;
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  std::memcpy(&address.sin6_addr, to.source.bytes().data(), sizeof address.sin6_addr);
  return ::sendto(v6_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                  reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) == static_cast<ssize_t>(packet.size());
}

}  // namespace beaconry
