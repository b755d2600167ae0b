#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace beaconry {

// The ways out that are known, by the number that a ping carries. Numbers stay for ever: homes and
// probes of different age speak with each other. One file a method in src/escape/methods/.
enum class MethodId : std::uint8_t {
  none = 0,
  control = 1,  // the positive control: an escape that is meant to succeed
  zone = 2,     // from probe to probe
  udp_port = 10,
  tcp_connect = 11,
  tcp_syn = 12,
  tcp_rst = 13,
  tcp_ack = 14,
  icmp = 15,
  icmpv6 = 16,
  ip_proto = 17,
  udp_lite = 18,
  neighbour_gateway = 20,
  ethernet_broadcast = 21,
  vlan_double_tag = 22,
  dns = 30,
  dns_broadcast = 31,
  spoof_bounce = 40,  // variants: echo, closed port, SYN
  spoof_ttl = 41,
  spoof_inside = 42,
  fragment = 50,
  source_route = 51,
  ipv6_forms = 52,  // extension headers, and routers that only advertise themselves
  nat64 = 53,
  tls_hello = 60,
  quic = 61,
  http_proxy = 62,
  socks_proxy = 63,
  ntp = 70,
  snmp = 71,
  syslog = 72,
  mdns = 73,
  llmnr = 74,
  nbns = 75,
  ssdp = 76,
};

// "udp-port"; "unknown" of a number that this version does not know.
std::string_view to_string(MethodId method);
std::optional<MethodId> parse_method(std::string_view name);

}  // namespace beaconry
