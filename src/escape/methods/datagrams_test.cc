// Methods that send one datagram and wait for nothing: relays, reflectors, control and zone.
#include <gtest/gtest.h>

#include "escape/byte_writer.h"
#include "escape/test_wire.h"
#include "packet/dns_message.h"

namespace beaconry {
namespace {

using namespace test;

std::vector<Target> targets(const Method& method, const Scope& scope) {
  std::vector<Target> list;
  for (std::uint64_t i = 0; i < method.count(scope).count; ++i)
    list.push_back(method.target(scope, i));
  return list;
}

struct Datagram {
  IpAddress destination;
  std::uint16_t source_port, port;
  std::uint8_t ttl;
  ByteView payload;
};
Datagram read(const TestWire::Sent& sent) {
  const ByteView packet = sent.packet();
  const bool v4 = packet[0] >> 4 == 4;
  const ByteView transport = packet.subspan(v4 ? 20 : 40);
  return {v4 ? IpAddress::v4_bytes(packet.data() + 16) : IpAddress::v6_bytes(packet.data() + 24),
          parse_be16(transport.data()), parse_be16(transport.data() + 2),
          v4 ? packet[8] : packet[7], transport.subspan(8)};
}

struct Relayed {
  MethodId id;
  std::vector<std::uint16_t> ports;
};
class Relay : public testing::TestWithParam<Relayed> {};

TEST_P(Relay, GoesToHomeItselfAndToGatewaysAndAllowedNeighbours) {
  House house(true, false);
  const Method& method = *find_method(GetParam().id);
  const auto list = targets(method, house.scope());
  ASSERT_EQ(list.size(), 4U * GetParam().ports.size());
  TestWire wire(house);
  std::size_t at = 0;
  for (const std::uint16_t port : GetParam().ports) {
    for (const char* stop : {"203.0.113.10", "10.0.1.1", "10.0.1.50", "10.0.1.60"}) {
      wire.forget_sent();
      wire.run(method, list.at(at++));
      EXPECT_EQ(wire.conversation(), nullptr);
      ASSERT_EQ(wire.sent().size(), 1U);
      const Datagram sent = read(wire.sent()[0]);
      EXPECT_EQ(sent.destination, address(stop));
      EXPECT_EQ(sent.port, port);
      const auto ping = wire.open(sent.payload);
      ASSERT_TRUE(ping) << stop;
      EXPECT_EQ(ping->method, GetParam().id);
      EXPECT_EQ(ping->destination, address("203.0.113.10"));
      EXPECT_EQ(ping->via, sent.destination == ping->destination ? IpAddress{} : sent.destination);
    }
  }
}

TEST_P(Relay, AsksNoUnlistedNeighbourWithTheProfileOt) {
  House house(true, false);
  house.config.profile = Profile::ot;
  house.config.neighbours = {address("10.0.1.60")};
  for (const Target& target : targets(*find_method(GetParam().id), house.scope())) {
    EXPECT_NE(target.via, address("10.0.1.50"));
  }
  EXPECT_EQ(targets(*find_method(GetParam().id), house.scope()).size(),
            3U * GetParam().ports.size());
}
INSTANTIATE_TEST_SUITE_P(Methods, Relay,
                         testing::Values(Relayed{MethodId::ntp, {123}},
                                         Relayed{MethodId::snmp, {162, 161}},
                                         Relayed{MethodId::syslog, {514}}));

TEST(Ntp, IsAClientsQuestionWithAnExtensionField) {
  const House house;
  TestWire wire(house);
  wire.run(*find_method(MethodId::ntp), {address("203.0.113.10"), 123, 0, {}});
  ByteCursor cursor(read(wire.sent().at(0)).payload);
  EXPECT_EQ(cursor.u8(), 0x23) << "version 4, client";
  cursor.take(39);
  EXPECT_EQ(cursor.u32(), 1'795'000'000U + 2'208'988'800U) << "transmit time";
  EXPECT_EQ(cursor.u32(), 0U);
  cursor.u16();
  const std::uint16_t size = cursor.u16();
  EXPECT_EQ(size, cursor.left() + 4) << "the field reaches to the end";
  EXPECT_EQ(size % 4, 0);
  EXPECT_GE(size, 28) << "RFC 7822 §7.5.1.4: of the last field without a MAC";
}

// Walks BER and fails where a length does not end with its parent.
void walk(ByteView bytes, int depth, std::vector<int>& tags) {
  ByteCursor cursor(bytes);
  while (cursor.left() > 0) {
    const int tag = cursor.u8();
    std::size_t size = cursor.u8();
    if (size == 0x81) size = cursor.u8();
    if (size == 0x82) size = cursor.u16();
    const ByteView content = cursor.take(size);
    ASSERT_TRUE(cursor.ok()) << "at depth " << depth;
    tags.push_back(tag);
    if ((tag & 0x20) != 0) walk(content, depth + 1, tags);
  }
}

TEST(Snmp, IsWellFormedBer) {
  const House house;
  for (const std::uint8_t variant : {std::uint8_t{1}, std::uint8_t{2}}) {
    TestWire wire(house);
    wire.run(*find_method(MethodId::snmp), {address("203.0.113.10"), 162, variant, {}});
    std::vector<int> tags;
    walk(read(wire.sent().at(0)).payload, 0, tags);
    const std::vector<int> get = {0x30, 2, 4, 0xa0, 2, 2, 2, 0x30, 0x30, 6, 4};
    const std::vector<int> trap = {0x30, 2,    4,    0xa7, 2, 2,    2, 0x30, 0x30,
                                   6,    0x43, 0x30, 6,    6, 0x30, 6, 4};
    EXPECT_EQ(tags, variant == 1 ? trap : get);
  }
}

TEST(Syslog, IsALineOfRfc5424) {
  const House house;
  TestWire wire(house);
  wire.run(*find_method(MethodId::syslog), {address("203.0.113.10"), 514, 0, {}});
  const std::string_view line = as_text(read(wire.sent().at(0)).payload);
  EXPECT_EQ(line.substr(0, line.find("bcn1")),
            "<134>1 2026-11-18T11:06:40.000Z beaconry beaconry-escape - ping - ");
}

struct Group {
  MethodId id;
  const char* group;
  const char* mac;
  std::uint16_t port;
  std::uint16_t from;  // 0: a port of its own
  std::uint8_t ttl;
  std::size_t variants;
};
class Reflected : public testing::TestWithParam<Group> {};

TEST_P(Reflected, GoesToItsGroupWithAPingThatAReflectorCarriesAlong) {
  const House house;
  const Group& expected = GetParam();
  const Method& method = *find_method(expected.id);
  EXPECT_NE(method.traits & kBroadcast, 0U);
  std::size_t variants = 0;
  for (const Target& target : targets(method, house.scope())) {
    if (target.destination != address(expected.group)) continue;
    ++variants;
    for (const Leg leg : {Leg::outbound, Leg::confirmed}) {
      TestWire wire(house);
      wire.run(method, target, leg);
      ASSERT_EQ(wire.sent().size(), 1U);
      EXPECT_EQ(wire.conversation(), nullptr);
      EXPECT_EQ(wire.sent()[0].to(), mac_address(expected.mac));
      const Datagram sent = read(wire.sent()[0]);
      EXPECT_EQ(sent.destination, target.destination);
      EXPECT_EQ(sent.port, expected.port);
      EXPECT_EQ(sent.source_port, expected.from == 0 ? wire.claimed().at(0) : expected.from);
      EXPECT_EQ(sent.ttl, expected.ttl);
      const auto ping = wire.open(sent.payload);
      ASSERT_TRUE(ping);
      EXPECT_EQ(ping->method, expected.id);
      EXPECT_EQ(ping->leg, leg);
      if (expected.port == 5353 || expected.port == 5355) {
        DnsMessage message;
        EXPECT_TRUE(message.parse(sent.payload)) << "a DNS message";
      }
    }
  }
  EXPECT_EQ(variants, expected.variants);
}
INSTANTIATE_TEST_SUITE_P(
    Groups, Reflected,
    testing::Values(Group{MethodId::mdns, "224.0.0.251", "01:00:5e:00:00:fb", 5353, 5353, 255, 2},
                    Group{MethodId::mdns, "ff02::fb", "33:33:00:00:00:fb", 5353, 5353, 255, 2},
                    Group{MethodId::llmnr, "224.0.0.252", "01:00:5e:00:00:fc", 5355, 0, 255, 1},
                    Group{MethodId::llmnr, "ff02::1:3", "33:33:00:01:00:03", 5355, 0, 255, 1},
                    Group{MethodId::nbns, "10.0.1.255", "ff:ff:ff:ff:ff:ff", 137, 137, 64, 1},
                    Group{MethodId::nbns, "255.255.255.255", "ff:ff:ff:ff:ff:ff", 137, 137, 64, 1},
                    Group{MethodId::ssdp, "239.255.255.250", "01:00:5e:7f:ff:fa", 1900, 0, 4, 2},
                    Group{MethodId::ssdp, "ff02::c", "33:33:00:00:00:0c", 1900, 0, 4, 2}));

TEST(Reflected, AreNotTriedWithoutAnAddress) {
  House house(false, false);
  for (const MethodId id : {MethodId::mdns, MethodId::llmnr, MethodId::nbns, MethodId::ssdp}) {
    const TargetCount count = find_method(id)->count(house.scope());
    EXPECT_EQ(count.count, 0U);
    EXPECT_FALSE(count.why_none.empty());
  }
}

TEST(Nbns, EncodesItsNameByHalfBytes) {
  const House house;
  TestWire wire(house);
  wire.run(*find_method(MethodId::nbns), {address("10.0.1.255"), 137, 0, {}});
  const Bytes payload(read(wire.sent().at(0)).payload.begin(),
                      read(wire.sent().at(0)).payload.end());
  EXPECT_EQ(payload[12], 32);
  EXPECT_EQ(as_text(ByteView(payload).subspan(13, 4)), "ECEF") << "\"BE\"";
  EXPECT_EQ(as_text(ByteView(payload).subspan(13 + 28, 4)), "CAAA") << "a blank and the kind 0";
}

TEST(Control, IsTriedOnlyWhereItIsConfigured) {
  House house;
  const Method& method = *find_method(MethodId::control);
  EXPECT_EQ(method.count(house.scope()).count, 0U);
  house.config.control = ProbeConfig::Control{};
  house.config.control->destination = address("203.0.113.10");
  house.config.control->port = 4000;
  ASSERT_EQ(method.count(house.scope()).count, 1U);
  TestWire wire(house);
  wire.run(method, method.target(house.scope(), 0));
  EXPECT_EQ(wire.conversation(), nullptr);
  EXPECT_EQ(read(wire.sent().at(0)).port, 4000);
  EXPECT_TRUE(wire.open(read(wire.sent()[0]).payload));
}

TEST(Control, GoesByTcpWhereTheKernelLetsIt) {
  House house(false, false);
  const Method& method = *find_method(MethodId::control);
  house.config.control = ProbeConfig::Control{};
  house.config.control->destination = address("203.0.113.10");
  house.config.control->tcp = true;
  EXPECT_FALSE(method.count(house.scope()).why_none.empty()) << "no address";
  house.add_own("10.0.1.9", 24, true);
  EXPECT_NE(method.count(house.scope()).why_none.find("kernel"), std::string::npos);
  House other;
  other.config.control = house.config.control;
  TestWire wire(other);
  wire.run(method, method.target(other.scope(), 0));
  ASSERT_EQ(wire.connections().size(), 1U);
  wire.accept();
  wire.feed(wire.home_reply());
  EXPECT_TRUE(wire.answered());
}

TEST(Zone, GoesToEachPeerInThreeForms) {
  House house;
  const Method& method = *find_method(MethodId::zone);
  EXPECT_EQ(method.count(house.scope()).why_none, "no peers are configured");
  house.config.peers = {{.name = "a", .address = address("10.0.2.9"), .key = {}},
                        {.name = "b", .address = address("2001:db8:2::9"), .key = {}}};
  const auto list = targets(method, house.scope());
  ASSERT_EQ(list.size(), 6U);
  std::vector<int> protocols;
  for (const Target& target : list) {
    TestWire wire(house);
    wire.run(method, target);
    ASSERT_EQ(wire.sent().size(), 1U);
    const ByteView packet = wire.sent()[0].packet();
    protocols.push_back(packet[packet[0] >> 4 == 4 ? 9 : 6]);
    const auto ping = wire.open(packet);
    ASSERT_TRUE(ping);
    EXPECT_EQ(ping->destination, target.destination);
    EXPECT_EQ(ping->method, MethodId::zone);
  }
  EXPECT_EQ(protocols, (std::vector<int>{17, 1, 6, 17, 58, 6}));
}

}  // namespace
}  // namespace beaconry
