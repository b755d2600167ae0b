#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"

namespace beaconry {

// IANA protocol numbers that pairs are made of; any other number is kept as it is.
enum class Protocol : std::uint8_t { icmp = 1, tcp = 6, udp = 17, icmpv6 = 58, sctp = 132 };

std::string to_string(Protocol protocol);  // "TCP"; "IP-47" for a number without a name
std::optional<Protocol> parse_protocol(std::string_view text);  // "tcp", "TCP", "IP-47", "6"

// Who talks to whom: the one who opened -> the one who was opened to. ICMP's port is 0.
struct PairKey {
  IpAddress source;
  IpAddress destination;
  std::uint16_t port = 0;
  Protocol protocol = Protocol::tcp;

  std::string to_string()
      const;  // 10.0.0.5->203.0.113.9:443/TCP, [2001:db8::1]->[2001:db8::2]:443/TCP
  static std::optional<PairKey> parse(std::string_view text);

  friend bool operator==(const PairKey&, const PairKey&) = default;
  friend auto operator<=>(const PairKey&, const PairKey&) = default;
  template <class H>
  friend H AbslHashValue(H h, const PairKey& k) {
    return H::combine(std::move(h), k.source, k.destination, k.port, k.protocol);
  }
};

// An address as it stands in a key: IPv6 in brackets.
std::string key_text(const IpAddress& address);

}  // namespace beaconry
