#include "ping/method_id.h"

#include <algorithm>
#include <iterator>

namespace beaconry {
namespace {

struct Row {
  MethodId id;
  std::string_view name;
};
constexpr Row kRows[] = {
    {MethodId::control, "control"},
    {MethodId::zone, "zone"},
    {MethodId::udp_port, "udp-port"},
    {MethodId::tcp_connect, "tcp-connect"},
    {MethodId::tcp_syn, "tcp-syn"},
    {MethodId::tcp_rst, "tcp-rst"},
    {MethodId::tcp_ack, "tcp-ack"},
    {MethodId::icmp, "icmp"},
    {MethodId::icmpv6, "icmpv6"},
    {MethodId::ip_proto, "ip-proto"},
    {MethodId::udp_lite, "udp-lite"},
    {MethodId::neighbour_gateway, "neighbour-gateway"},
    {MethodId::ethernet_broadcast, "ethernet-broadcast"},
    {MethodId::vlan_double_tag, "vlan-double-tag"},
    {MethodId::dns, "dns"},
    {MethodId::dns_broadcast, "dns-broadcast"},
    {MethodId::spoof_bounce, "spoof-bounce"},
    {MethodId::spoof_ttl, "spoof-ttl"},
    {MethodId::spoof_inside, "spoof-inside"},
    {MethodId::fragment, "fragment"},
    {MethodId::source_route, "source-route"},
    {MethodId::ipv6_forms, "ipv6-forms"},
    {MethodId::nat64, "nat64"},
    {MethodId::tls_hello, "tls-hello"},
    {MethodId::quic, "quic"},
    {MethodId::http_proxy, "http-proxy"},
    {MethodId::socks_proxy, "socks-proxy"},
    {MethodId::ntp, "ntp"},
    {MethodId::snmp, "snmp"},
    {MethodId::syslog, "syslog"},
    {MethodId::mdns, "mdns"},
    {MethodId::llmnr, "llmnr"},
    {MethodId::nbns, "nbns"},
    {MethodId::ssdp, "ssdp"},
};

}  // namespace

std::string_view to_string(MethodId method) {
  const auto* at = std::find_if(std::begin(kRows), std::end(kRows),
                                [&](const Row& r) { return r.id == method; });
  return at == std::end(kRows) ? "unknown" : at->name;
}

std::optional<MethodId> parse_method(std::string_view name) {
  const auto* at = std::find_if(std::begin(kRows), std::end(kRows),
                                [&](const Row& r) { return r.name == name; });
  if (at == std::end(kRows)) return std::nullopt;
  return at->id;
}

}  // namespace beaconry
