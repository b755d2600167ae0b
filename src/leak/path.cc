#include "leak/path.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>

#include "base/fnv.h"

namespace beaconry {
namespace {

// Sent to all, so that it is a repeater's doing that home hears it.
bool is_to_group(MethodId method) {
  return method == MethodId::mdns || method == MethodId::llmnr || method == MethodId::nbns ||
         method == MethodId::ssdp;
}

bool is_ipv6(const Observation& seen) {
  const Ping& ping = seen.ping;
  if (ping.method == MethodId::nat64) return true;
  if (seen.authenticity == Authenticity::token) return !seen.source.is_v4();
  if (!ping.via.is_unspecified()) return !ping.via.is_v4();
  if (!ping.destination.is_unspecified()) return !ping.destination.is_v4();
  return !seen.source.is_v4();
}

// A forged inside source, as it was sent: its last byte is the ping's variant.
bool is_borrowed(const Observation& seen) {
  return seen.ping.method == MethodId::spoof_inside &&
         last_byte(seen.source) == seen.ping.variant &&
         outer_network(seen.source) == outer_network(seen.ping.source);
}

PathKind without_helper(const Observation& seen) {
  const bool unchanged = seen.source == seen.ping.source || is_borrowed(seen);
  if (!unchanged) return PathKind::nat;
  const bool home_is_outside = !is_inside_address(seen.destination);
  return home_is_outside && is_inside_address(seen.source) ? PathKind::unnatted : PathKind::direct;
}

PathKind kind_of(const Observation& seen) {
  const MethodId method = seen.ping.method;
  if (method == MethodId::control || seen.carrier == Carrier::injected) return PathKind::control;
  // Who answers home with "time exceeded" was about to forward; who answers otherwise need not be.
  if (method == MethodId::spoof_ttl) return PathKind::neighbour_forwards;
  if (method == MethodId::spoof_bounce || is_bounce(seen)) return PathKind::neighbour_bounces;
  if (method == MethodId::http_proxy || method == MethodId::socks_proxy) return PathKind::proxy;
  const bool has_via = !seen.ping.via.is_unspecified();
  const bool relayed =
      method == MethodId::ntp || method == MethodId::snmp || method == MethodId::syslog;
  if (is_to_group(method) || (relayed && has_via)) return PathKind::reflector;
  // The method dns asks home itself as well, as if it were a resolver.
  if (method == MethodId::dns) return has_via ? PathKind::resolver : without_helper(seen);
  // A home without a name server of its own reads a question as text.
  const bool asked = seen.carrier == Carrier::dns_question ||
                     (seen.carrier == Carrier::text && seen.destination_port == 53);
  if (method == MethodId::dns_broadcast || asked) return PathKind::resolver;
  if (method == MethodId::ethernet_broadcast) return PathKind::neighbour_forwards;
  if (method == MethodId::vlan_double_tag) return PathKind::direct;  // switched: no router, no NAT
  return has_via ? PathKind::neighbour_forwards : without_helper(seen);
}

// FNV, and a last stirring so that all digits differ.
class Digest {
 public:
  void add(std::uint64_t value) {
    for (int at = 0; at < 8; ++at)
      add_byte(static_cast<std::uint8_t>(value >> (8 * at)));
  }
  void add(const IpAddress& address) {
    for (const std::uint8_t byte : address.bytes())
      add_byte(byte);
  }
  std::uint64_t value() const {
    std::uint64_t value = value_;
    value ^= value >> 33;
    value *= 0xff51afd7ed558ccdull;
    value ^= value >> 33;
    return value == 0 ? 1 : value;
  }

 private:
  void add_byte(std::uint8_t byte) { value_ = fnv1a(value_, byte); }
  std::uint64_t value_ = kFnvBasis;
};

}  // namespace

bool is_bounce(const Observation& seen) {
  return seen.carrier == Carrier::quoted || seen.carrier == Carrier::echo_reply ||
         seen.carrier == Carrier::syn_answer;
}

std::uint8_t quoted_protocol(const Observation& seen) {
  constexpr std::size_t kIcmpHeader = 8, kIpv6Header = 40;
  const std::string& raw = seen.raw;
  if (seen.carrier != Carrier::quoted || raw.empty()) return 0;
  const auto first = static_cast<std::uint8_t>(raw[0]);
  const std::size_t header =
      first >> 4 == 4 ? std::size_t{4} * (first & 15) : kIpv6Header;  // home sees no extensions
  const std::size_t at = header + kIcmpHeader + (first >> 4 == 4 ? 9 : 6);
  return at < raw.size() ? static_cast<std::uint8_t>(raw[at]) : std::uint8_t{0};
}

bool may_multiply(const Observation& seen) {
  switch (seen.ping.method) {
    case MethodId::ethernet_broadcast:
    case MethodId::dns:
    case MethodId::dns_broadcast:
    case MethodId::mdns:
    case MethodId::llmnr:
    case MethodId::nbns:
    case MethodId::ssdp:
    case MethodId::spoof_bounce:
    case MethodId::spoof_ttl:
      return true;
    case MethodId::tls_hello:  // as it was sent, and the name in it as an inspector asks for it
      return seen.carrier == Carrier::dns_question || seen.carrier == Carrier::server_name;
    default:
      return false;
  }
}

bool may_be_kept(const Observation& seen) {
  switch (seen.ping.method) {
    case MethodId::dns:
    case MethodId::dns_broadcast:
    case MethodId::tls_hello:
    case MethodId::http_proxy:
    case MethodId::socks_proxy:
    case MethodId::mdns:
    case MethodId::llmnr:
    case MethodId::nbns:
      return seen.carrier == Carrier::dns_question;
    case MethodId::syslog:
    case MethodId::snmp:
      return seen.carrier == Carrier::text || seen.carrier == Carrier::payload;
    default:
      return false;
  }
}

std::uint16_t port_of(const Observation& seen) {
  if (is_bounce(seen) || seen.authenticity == Authenticity::token) return 0;
  const bool asked = seen.carrier == Carrier::dns_question;  // by another than the probe
  return seen.ping.port != 0 && !asked ? seen.ping.port : seen.destination_port;
}

PathFacts decide_path(const Observation& seen) {
  return {kind_of(seen), is_ipv6(seen), seen.ping.via};
}

std::uint64_t leak_number(const Observation& seen, const PathFacts& path) {
  Digest digest;
  digest.add(seen.ping.probe.value);
  digest.add(static_cast<std::uint64_t>(seen.ping.method));
  digest.add(path.ipv6 ? 6 : 4);
  digest.add(static_cast<std::uint64_t>(path.kind));
  const MethodId method = seen.ping.method;
  if (method == MethodId::spoof_bounce || method == MethodId::spoof_ttl) {
    digest.add(last_byte(path.via));
  } else if (!path.via.is_unspecified()) {
    digest.add(path.via);
  } else if (path.kind == PathKind::nat || path.kind == PathKind::neighbour_forwards ||
             path.kind == PathKind::neighbour_bounces || path.kind == PathKind::proxy ||
             path.kind == PathKind::reflector) {
    digest.add(outer_network(seen.source));
  }
  return digest.value();
}

std::string leak_id(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016" PRIx64, number);
  return text;
}

bool is_inside_address(const IpAddress& address) {
  static const std::array<Cidr, 7> kInside{Cidr(IpAddress::v4(0x0a000000), 8),
                                           Cidr(IpAddress::v4(0xac100000), 12),
                                           Cidr(IpAddress::v4(0xc0a80000), 16),
                                           Cidr(IpAddress::v4(0x64400000), 10),
                                           Cidr(IpAddress::v4(0xa9fe0000), 16),
                                           *Cidr::parse("fc00::/7"),
                                           *Cidr::parse("fe80::/10")};
  return std::any_of(kInside.begin(), kInside.end(),
                     [&](const Cidr& block) { return block.contains(address); });
}

IpAddress outer_network(const IpAddress& address) {
  return address.masked(address.is_v4() ? 96 + 24 : 48);
}

std::uint8_t last_byte(const IpAddress& address) {
  return address.bytes()[15];
}

}  // namespace beaconry
