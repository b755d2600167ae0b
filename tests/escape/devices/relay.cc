// relay PORT ADDRESS [PORT]
//   Hands datagrams to its UDP port on to ADDRESS, and the answers back to who sent the last one: a
//   syslog or SNMP trap relay, or an NTP server that asks another for each question. IPv4.
#include <poll.h>

#include "device.h"

using namespace beaconry;
using namespace beaconry::device;

int main(int count, char** words) {
  const auto to = count == 3 || count == 4 ? IpAddress::parse(words[2]) : std::nullopt;
  if (!to || !to->is_v4()) {
    std::fputs("usage: relay PORT ADDRESS [PORT]\n", stderr);
    return 2;
  }
  const int inside = socket(AF_INET, SOCK_DGRAM, 0), outside = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(std::atoi(words[1])));
  if (bind(inside, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) fail("bind");
  sockaddr_in beyond{};
  beyond.sin_family = AF_INET;
  beyond.sin_port = htons(static_cast<std::uint16_t>(std::atoi(words[count - 1 == 3 ? 3 : 1])));
  beyond.sin_addr.s_addr = htonl(to->v4_value());
  sockaddr_in asker{};
  ready();
  for (;;) {
    std::array<pollfd, 2> ready{pollfd{inside, POLLIN, 0}, pollfd{outside, POLLIN, 0}};
    if (poll(ready.data(), ready.size(), -1) < 0) continue;
    std::array<std::uint8_t, 65'536> data;
    if ((ready[0].revents & POLLIN) != 0) {
      socklen_t length = sizeof asker;
      const ssize_t size = recvfrom(inside, data.data(), data.size(), 0,
                                    reinterpret_cast<sockaddr*>(&asker), &length);
      if (size > 0 && sendto(outside, data.data(), static_cast<std::size_t>(size), 0,
                             reinterpret_cast<const sockaddr*>(&beyond), sizeof beyond) < 0) {
        std::perror("sendto");
      }
    }
    if ((ready[1].revents & (POLLIN | POLLERR)) != 0) {
      const ssize_t size = recv(outside, data.data(), data.size(), 0);
      if (size > 0 && sendto(inside, data.data(), static_cast<std::size_t>(size), 0,
                             reinterpret_cast<const sockaddr*>(&asker), sizeof asker) < 0) {
        std::perror("sendto");
      }
    }
  }
}
