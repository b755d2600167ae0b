// reflector IN OUT PORT...
//   Repeats what is sent on IN to a group or to all, to one of these UDP ports, on OUT from an
//   address of its own, as reflectors of mDNS (5353), LLMNR (5355), SSDP (1900) and NetBIOS names
//   (137) do between networks. The other way nothing is repeated.
#include <map>

#include "device.h"

using namespace beaconry;
using namespace beaconry::device;

namespace {

int open_socket(int family, std::uint16_t port, const char* interface) {
  const int descriptor = socket(family, SOCK_DGRAM, 0);
  if (descriptor < 0) fail("datagram socket");
  const int on = 1, hops = 255;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(descriptor, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  if (setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface,
                 static_cast<socklen_t>(std::strlen(interface))) != 0) {
    fail(interface);
  }
  int bound = 0;
  if (family == AF_INET) {
    setsockopt(descriptor, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    bound = bind(descriptor, reinterpret_cast<const sockaddr*>(&at), sizeof at);
  } else {
    const int index = interface_index(interface);
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index);
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops);
    sockaddr_in6 at{};
    at.sin6_family = AF_INET6;
    at.sin6_port = htons(port);
    bound = bind(descriptor, reinterpret_cast<const sockaddr*>(&at), sizeof at);
  }
  if (bound != 0) fail("bind");
  return descriptor;
}

void repeat(int descriptor, const IpAddress& group, std::uint16_t port, ByteView data) {
  ssize_t sent = -1;
  if (group.is_v4()) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    // A network's own broadcast address is none beyond it.
    to.sin_addr.s_addr = htonl(group.is_multicast() ? group.v4_value() : INADDR_BROADCAST);
    sent = sendto(descriptor, data.data(), data.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                  sizeof to);
  } else {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(port);
    std::memcpy(&to.sin6_addr, group.bytes().data(), 16);
    sent = sendto(descriptor, data.data(), data.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                  sizeof to);
  }
  if (sent < 0) std::perror("sendto");
}

}  // namespace

int main(int count, char** words) {
  if (count < 4) {
    std::fputs("usage: reflector IN OUT PORT...\n", stderr);
    return 2;
  }
  const FrameSocket in(words[1]);
  std::map<std::uint16_t, std::pair<int, int>> sockets;
  for (int i = 3; i < count; ++i) {
    const auto port = static_cast<std::uint16_t>(std::atoi(words[i]));
    sockets[port] = {open_socket(AF_INET, port, words[2]), open_socket(AF_INET6, port, words[2])};
  }
  ready();
  for (;;) {
    const auto got = in.receive();
    if (got.to_whom != PACKET_BROADCAST && got.to_whom != PACKET_MULTICAST) continue;
    ParsedPacket packet;
    const std::uint8_t* end = got.frame.data() + got.frame.size();
    if (parse_ethernet(got.frame.data(), end, 0, 0, &packet) != kParsed) continue;
    const auto at = sockets.find(packet.destination_port);
    if (packet.protocol != kProtocolUdp || at == sockets.end() || packet.fragment != kWhole) {
      continue;
    }
    const IpAddress group = IpAddress::v6_bytes(packet.destination);
    repeat(group.is_v4() ? at->second.first : at->second.second, group, at->first,
           {packet.payload, packet.payload_captured});
  }
}
