#include "leak/path.h"

#include <gtest/gtest.h>

#include "leak/test_observation.h"

namespace beaconry {
namespace {

using test::address;

// What home measured of each method, and what it proves: the table of docs/escape-methods.md.
struct Row {
  const char* name;
  MethodId method;
  Carrier carrier;
  const char* inside;       // the probe's address
  const char* source;       // that home saw
  const char* destination;  // home's
  const char* via;
  PathKind expected;
  bool ipv6 = false;
  std::uint8_t variant = 0;
};
constexpr const char* kHome = "203.0.113.10";
constexpr const char* kHome6 = "2001:db8:2::10";
constexpr const char* kNat = "203.0.113.1";
const Row kRows[] = {
    {"udp_through_nat", MethodId::udp_port, Carrier::payload, "10.0.1.9", kNat, kHome,
     "::", PathKind::nat},
    {"udp_without_nat", MethodId::udp_port, Carrier::payload, "198.51.100.9", "198.51.100.9", kHome,
     "::", PathKind::direct},
    {"udp_inside_a_private_network", MethodId::udp_port, Carrier::payload, "10.0.1.9", "10.0.1.9",
     "10.9.0.5", "::", PathKind::direct},
    {"rst_beside_nat", MethodId::tcp_rst, Carrier::payload, "10.0.1.9", "10.0.1.9", kHome,
     "::", PathKind::unnatted},
    {"echo_reply_beside_nat", MethodId::icmp, Carrier::payload, "10.0.1.9", "10.0.1.9", kHome,
     "::", PathKind::unnatted},
    {"udp_lite_beside_nat", MethodId::udp_lite, Carrier::payload, "10.0.1.9", "10.0.1.9", kHome,
     "::", PathKind::unnatted},
    {"icmpv6_forwarded", MethodId::icmpv6, Carrier::payload, "2001:db8:1::9", "2001:db8:1::9",
     kHome6, "::", PathKind::direct, true},
    {"unique_local_address_outside", MethodId::udp_port, Carrier::payload, "fd00::9", "fd00::9",
     kHome6, "::", PathKind::unnatted, true},
    {"nat64", MethodId::nat64, Carrier::payload, "2001:db8:1::9", kNat, kHome, "::", PathKind::nat,
     true},
    {"neighbour_that_forwards", MethodId::neighbour_gateway, Carrier::payload, "10.0.1.9",
     "10.0.1.9", kHome, "10.0.1.50", PathKind::neighbour_forwards},
    {"neighbour_that_translates", MethodId::neighbour_gateway, Carrier::payload, "10.0.1.9",
     "203.0.113.50", kHome, "10.0.1.50", PathKind::neighbour_forwards},
    {"broadcast_forwarder", MethodId::ethernet_broadcast, Carrier::payload, "10.0.1.9", "10.0.1.9",
     kHome, "::", PathKind::neighbour_forwards},
    {"hopped_vlan", MethodId::vlan_double_tag, Carrier::payload, "10.0.1.9", "10.0.1.9", kHome,
     "::", PathKind::direct},
    {"source_route", MethodId::source_route, Carrier::payload, "10.0.1.9", "10.0.1.9", kHome,
     "10.0.1.50", PathKind::neighbour_forwards},
    {"echo_bounced", MethodId::spoof_bounce, Carrier::echo_reply, "10.0.1.9", "203.0.113.50", kHome,
     "10.0.1.50", PathKind::neighbour_bounces},
    {"closed_port_bounced", MethodId::spoof_bounce, Carrier::quoted, "10.0.1.9", "203.0.113.50",
     kHome, "10.0.1.50", PathKind::neighbour_bounces},
    {"time_exceeded", MethodId::spoof_ttl, Carrier::quoted, "10.0.1.9", "203.0.113.50", kHome,
     "10.0.1.50", PathKind::neighbour_forwards},
    {"forged_inside_address_through_nat", MethodId::spoof_inside, Carrier::payload, "10.0.1.9",
     kNat, kHome, "::", PathKind::nat},
    {"forged_inside_address_as_sent", MethodId::spoof_inside, Carrier::payload, "10.0.1.9",
     "10.0.1.20", kHome, "::", PathKind::unnatted, false, 20},
    {"forged_inside_address_over_ipv6", MethodId::spoof_inside, Carrier::payload, "2001:db8:1::9",
     "2001:db8:1::20", kHome6, "::", PathKind::direct, true, 0x20},
    {"dns_through_a_resolver", MethodId::dns, Carrier::dns_question, "10.0.1.9", kNat, kHome,
     "10.0.1.1", PathKind::resolver},
    {"dns_to_all", MethodId::dns_broadcast, Carrier::dns_question, "10.0.1.9", kNat, kHome,
     "::", PathKind::resolver},
    {"dns_asked_by_the_probe", MethodId::dns, Carrier::dns_question, "198.51.100.9", "198.51.100.9",
     kHome, "::", PathKind::direct},
    {"dns_asked_by_the_probe_through_nat", MethodId::dns, Carrier::dns_question, "10.0.1.9", kNat,
     kHome, "::", PathKind::nat},
    {"dns_where_home_has_no_name_server", MethodId::dns, Carrier::text, "10.0.1.9", kNat, kHome,
     "10.0.1.1", PathKind::resolver},
    {"tls_hello_forwarded", MethodId::tls_hello, Carrier::server_name, "10.0.1.9", kNat, kHome,
     "::", PathKind::nat},
    {"tls_hello_looked_up", MethodId::tls_hello, Carrier::dns_question, "10.0.1.9", kNat, kHome,
     "::", PathKind::resolver},
    {"proxy", MethodId::http_proxy, Carrier::http, "10.0.1.9", kNat, kHome, "10.0.1.3",
     PathKind::proxy},
    {"proxy_that_looks_up", MethodId::http_proxy, Carrier::dns_question, "10.0.1.9", kNat, kHome,
     "10.0.1.3", PathKind::proxy},
    {"socks", MethodId::socks_proxy, Carrier::payload, "10.0.1.9", kNat, kHome, "10.0.1.3",
     PathKind::proxy},
    {"log_relay", MethodId::syslog, Carrier::text, "10.0.1.9", kNat, kHome, "10.0.1.4",
     PathKind::reflector},
    {"log_line_to_home", MethodId::syslog, Carrier::text, "10.0.1.9", kNat, kHome,
     "::", PathKind::nat},
    {"repeater", MethodId::mdns, Carrier::payload, "10.0.1.9", kNat, kHome,
     "::", PathKind::reflector},
    {"control", MethodId::control, Carrier::payload, "10.0.1.9", kNat, kHome,
     "::", PathKind::control},
    {"injected_control", MethodId::control, Carrier::injected, "::", "127.0.0.1", "127.0.0.1",
     "::", PathKind::control},
};

Observation seen(const Row& row) {
  Observation o = test::ping_seen(1);
  o.ping.method = row.method;
  o.carrier = row.carrier;
  o.ping.source = address(row.inside);
  o.source = address(row.source);
  o.destination = o.ping.destination = address(row.destination);
  o.ping.via = address(row.via);
  o.ping.variant = row.variant;
  return o;
}

class Paths : public testing::TestWithParam<Row> {};

TEST_P(Paths, AreDecidedByWhatHomeSaw) {
  const PathFacts path = decide_path(seen(GetParam()));
  EXPECT_EQ(to_string(path.kind), to_string(GetParam().expected));
  EXPECT_EQ(path.ipv6, GetParam().ipv6);
  EXPECT_EQ(path.via, address(GetParam().via));
}
INSTANTIATE_TEST_SUITE_P(Measured, Paths, testing::ValuesIn(kRows),
                         [](const auto& at) { return std::string(at.param.name); });

TEST(LeakNumber, IsAnotherForEachProbeMethodFamilyAndPlace) {
  Observation o = test::ping_seen(1);
  const auto number = [&] { return leak_number(o, decide_path(o)); };
  const std::uint64_t first = number();
  o.ping.sequence = 99;
  o.source = address("203.0.113.77");
  o.ping.port = 53;
  EXPECT_EQ(number(), first) << "another port or address of the same network is the same leak";
  o.source = address("192.0.2.1");
  EXPECT_NE(number(), first) << "another way out of the house";
  o = test::ping_seen(1);
  o.ping.method = MethodId::tcp_syn;
  EXPECT_NE(number(), first);
  o = test::ping_seen(1);
  o.ping.probe.value ^= 1;
  EXPECT_NE(number(), first);
  o = test::ping_seen(1);
  o.ping.destination = o.destination = address(kHome6);
  EXPECT_NE(number(), first);
}

TEST(LeakNumber, OfATokenIsThatOfThePingThroughTheSameNeighbour) {
  const Observation token = test::token_seen();
  Observation ping = test::ping_seen(1);
  ping.ping.method = MethodId::spoof_bounce;
  ping.carrier = Carrier::echo_reply;
  ping.ping.via = address("10.0.1.50");
  EXPECT_EQ(leak_number(token, decide_path(token)), leak_number(ping, decide_path(ping)));
  ping.ping.via = address("10.0.1.51");
  EXPECT_NE(leak_number(token, decide_path(token)), leak_number(ping, decide_path(ping)));
}

TEST(LeakNumber, OfAResolverDoesNotDependOnWhichOfItsAddressesAsked) {
  Observation o = test::ping_seen(1);
  o.ping.method = MethodId::dns;
  o.carrier = Carrier::dns_question;
  o.ping.via = address("10.0.1.1");
  const auto first = leak_number(o, decide_path(o));
  o.source = address("192.0.2.53");
  EXPECT_EQ(leak_number(o, decide_path(o)), first);
}

TEST(PortOf, IsTheOneThatWasTriedAndNoneOfABounce) {
  Observation o = test::ping_seen(1);
  o.destination_port = 8443;  // translated on the way
  EXPECT_EQ(port_of(o), 443);
  o.carrier = Carrier::quoted;
  EXPECT_EQ(port_of(o), 0);
  EXPECT_EQ(port_of(test::token_seen()), 0);
}

}  // namespace
}  // namespace beaconry
