#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <utility>

#include "base/ip_address.h"

namespace beaconry {

// Address and port of what the kernel gives.
inline std::pair<IpAddress, std::uint16_t> from_socket_address(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    return {IpAddress::v4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port)};
  }
  if (address.ss_family != AF_INET6) return {};
  sockaddr_in6 v6;
  std::memcpy(&v6, &address, sizeof v6);
  return {IpAddress::v6_bytes(v6.sin6_addr.s6_addr), ntohs(v6.sin6_port)};
}

}  // namespace beaconry
