#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace beaconry {

// Which ports somebody else uses, a bit each.
struct UsedPorts {
  static constexpr std::size_t kWords = 65'536 / 64;
  std::array<std::uint64_t, kWords> tcp{}, udp{};

  static void set(std::array<std::uint64_t, kWords>& ports, std::uint16_t port) {
    ports[port / 64] |= std::uint64_t{1} << (port % 64);
  }
  static bool has(const std::array<std::uint64_t, kWords>& ports, std::uint16_t port) {
    return (ports[port / 64] >> (port % 64) & 1) != 0;
  }
};

// The listening TCP and the bound UDP sockets of this network namespace, but those on loopback
// alone, as home's own are. From the tables in `folder`: needs no capability. An error where one
// cannot be read whole; those of IPv6 may be missing. Whoever took that for "none" would take every
// port of the machine.
Result<UsedPorts> read_used_ports(const std::string& folder = "/proc/self/net");
// The first port that this machine gives to clients.
std::uint16_t first_client_port();

}  // namespace beaconry
