// router_advertiser INTERFACE [PREFIX]
//   A router that advertises itself five times a second, as one that somebody plugged in and
//   forgot: for half an hour, with PREFIX (of 64 bits: 2001:db8:9::) to make addresses of, if one
//   is given. Whether it forwards is the kernel's matter.
#include <netinet/icmp6.h>
#include <sys/ioctl.h>

#include "device.h"

using namespace beaconry;
using namespace beaconry::device;

int main(int count, char** words) {
  const auto prefix = count == 3 ? IpAddress::parse(words[2]) : std::nullopt;
  if (count < 2 || count > 3 || (count == 3 && (!prefix || prefix->is_v4()))) {
    std::fputs("usage: router_advertiser INTERFACE [PREFIX]\n", stderr);
    return 2;
  }
  const int index = interface_index(words[1]), hops = 255;
  const int descriptor = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
  if (descriptor < 0) fail("raw socket");
  setsockopt(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index);
  setsockopt(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops);
  ifreq request{};
  std::strncpy(request.ifr_name, words[1], IFNAMSIZ - 1);
  if (ioctl(descriptor, SIOCGIFHWADDR, &request) != 0) fail(words[1]);

  // Type 134; 64 hops; half an hour; then options. The kernel fills in the checksum.
  Bytes message{134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1};
  const auto* mac = reinterpret_cast<const std::uint8_t*>(request.ifr_hwaddr.sa_data);
  message.insert(message.end(), mac, mac + 6);
  if (prefix) {  // on the link, for addresses; valid and preferred for half an hour
    const Bytes option{3, 4, 64, 0xc0, 0, 0, 0x07, 0x08, 0, 0, 0x07, 0x08, 0, 0, 0, 0};
    message.insert(message.end(), option.begin(), option.end());
    message.insert(message.end(), prefix->bytes().begin(), prefix->bytes().end());
  }
  sockaddr_in6 all{};
  all.sin6_family = AF_INET6;
  inet_pton(AF_INET6, "ff02::1", &all.sin6_addr);
  all.sin6_scope_id = static_cast<std::uint32_t>(index);
  ready();
  for (;;) {
    if (sendto(descriptor, message.data(), message.size(), 0,
               reinterpret_cast<const sockaddr*>(&all), sizeof all) < 0) {
      std::perror("sendto");
    }
    usleep(200'000);
  }
}
