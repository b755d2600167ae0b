#include "escape/segment.h"

#include <gtest/gtest.h>

#include <string_view>

#include "packet/parse.h"

namespace beaconry {
namespace {

using std::chrono::seconds;

const MacAddress kOurs{{2, 0, 0, 0, 0, 9}}, kGatewayMac{{2, 0, 0, 0, 0, 1}},
    kNeighbourMac{{2, 0, 0, 0, 0, 0x50}};
constexpr Timestamp kNow{seconds{1'795'000'000}};

IpAddress at(std::string_view text) {
  return *IpAddress::parse(text);
}

Bytes arp_answer(const MacAddress& mac, std::string_view address) {
  return ethernet(kOurs, mac, kEtherArp, arp(2, mac, at(address), kOurs, at("10.0.1.9")));
}

Bytes datagram(const MacAddress& mac, std::string_view from, std::string_view to,
               std::uint16_t source_port, std::uint16_t port, ByteView payload,
               std::uint8_t ttl = 64) {
  const IpAddress source = at(from), destination = at(to);
  return ethernet(kOurs, mac, source.is_v4() ? kEtherIpv4 : kEtherIpv6,
                  ip(source, destination, kProtocolUdp,
                     udp(source, destination, source_port, port, payload), ttl));
}

Bytes router_advertisement(std::uint16_t lifetime, std::uint8_t hop_limit = 255) {
  const IpAddress router = at("fe80::1"), all = at("ff02::1");
  Bytes body(8, 0);
  body.insert(body.end(), {1, 1, 2, 0, 0, 0, 0, 1});    // source's MAC
  body.insert(body.end(), {25, 3, 0, 0, 0, 0, 0, 60});  // RDNSS for a minute
  const auto resolver = at("2001:db8:1::53").bytes();
  body.insert(body.end(), resolver.begin(), resolver.end());
  return ethernet(
      {{0x33, 0x33, 0, 0, 0, 1}}, kGatewayMac, kEtherIpv6,
      ip(router, all, kProtocolIcmpv6, icmpv6(router, all, 134, 0, lifetime, body), hop_limit));
}

Bytes neighbour_advertisement(std::string_view of, const MacAddress& mac, std::uint8_t hop_limit) {
  const IpAddress source = at(of), all = at("ff02::1");
  Bytes body(source.bytes().begin(), source.bytes().end());
  body.insert(body.end(), {2, 1});
  body.insert(body.end(), mac.bytes.begin(), mac.bytes.end());
  return ethernet(
      {{0x33, 0x33, 0, 0, 0, 1}}, mac, kEtherIpv6,
      ip(source, all, kProtocolIcmpv6, icmpv6(source, all, 136, 0, 0x20000000, body), hop_limit));
}

// An answer with one question, "a.test".
Bytes dns_answer() {
  return {0, 1, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 4, 't', 'e', 's', 't', 0, 0, 1, 0, 1};
}

Bytes dhcp_ack() {
  Bytes message(236, 0);
  message[0] = 2;
  message[1] = 1;
  message[2] = 6;
  message.insert(message.end(), {0x63, 0x82, 0x53, 0x63, 53, 1, 5});
  message.insert(message.end(), {3, 4, 10, 0, 1, 1, 6, 4, 10, 0, 1, 53});
  const std::string_view wpad = "http://wpad.test/p";
  message.insert(message.end(), {252, static_cast<std::uint8_t>(wpad.size())});
  message.insert(message.end(), wpad.begin(), wpad.end());
  message.push_back(255);
  return message;
}

TEST(Segment, LearnsWhoSpeaksFromArp) {
  Segment segment;
  segment.learn(arp_answer(kNeighbourMac, "10.0.1.50"), kNow);
  ASSERT_EQ(segment.neighbours().size(), 1U);
  EXPECT_EQ(segment.neighbours()[0].address, at("10.0.1.50"));
  EXPECT_EQ(segment.mac_of(at("10.0.1.50")), kNeighbourMac);
  EXPECT_EQ(segment.silent_macs(), 0U);
}

TEST(Segment, BelievesNoArpOfImpossibleSenders) {
  Segment segment;
  for (const char* address : {"0.0.0.0", "255.255.255.255", "224.0.0.1", "127.0.0.1", "0.1.2.3"})
    segment.learn(arp_answer(kNeighbourMac, address), kNow);
  segment.learn(ethernet(kOurs, kNeighbourMac, kEtherArp,
                         arp(2, MacAddress::broadcast(), at("10.0.1.50"), kOurs, at("10.0.1.9"))),
                kNow);
  EXPECT_TRUE(segment.neighbours().empty());
  EXPECT_EQ(segment.silent_macs(), 1U);
}

TEST(Segment, LearnsSendersOfItsOwnNetworkOnly) {
  Segment segment;
  segment.add_own({.address = at("10.0.1.9"), .prefix_length = 24});
  segment.learn(datagram(kNeighbourMac, "10.0.1.50", "10.0.1.255", 137, 137, {}), kNow);
  segment.learn(datagram(kGatewayMac, "10.0.2.7", "10.0.1.9", 1, 2, {}), kNow);
  segment.learn(datagram(kGatewayMac, "203.0.113.10", "10.0.1.9", 1, 2, {}), kNow);
  ASSERT_EQ(segment.neighbours().size(), 1U);
  EXPECT_EQ(segment.neighbours()[0].mac, kNeighbourMac);
}

TEST(Segment, WithoutAnAddressPrivateSendersThatPassedNoRouterCount) {
  Segment segment;
  segment.learn(datagram(kNeighbourMac, "192.168.7.50", "192.168.7.255", 137, 137, {}), kNow);
  segment.learn(datagram(kGatewayMac, "10.0.2.7", "192.168.7.9", 1, 2, {}, 63), kNow);
  segment.learn(datagram(kGatewayMac, "203.0.113.10", "192.168.7.9", 1, 2, {}), kNow);
  EXPECT_EQ(segment.neighbours().size(), 1U);
}

TEST(Segment, AForwardedPacketDoesNotUndoWhatArpSaid) {
  Segment segment;
  segment.add_own({.address = at("10.0.1.9"), .prefix_length = 24});
  segment.learn(arp_answer(kNeighbourMac, "10.0.1.50"), kNow);
  segment.learn(datagram(kGatewayMac, "10.0.1.50", "10.0.1.9", 1, 2, {}), kNow + seconds{1});
  EXPECT_EQ(segment.mac_of(at("10.0.1.50")), kNeighbourMac);
  segment.learn(arp_answer(kGatewayMac, "10.0.1.50"), kNow + seconds{2});
  EXPECT_EQ(segment.mac_of(at("10.0.1.50")), kGatewayMac);
}

TEST(Segment, RouterAdvertisementsGiveGatewayAndResolversUntilTheyEnd) {
  Segment segment;
  segment.learn(router_advertisement(1800), kNow);
  ASSERT_EQ(segment.gateways().size(), 1U);
  EXPECT_EQ(segment.gateways()[0], at("fe80::1"));
  ASSERT_EQ(segment.resolvers().size(), 1U);
  EXPECT_EQ(segment.resolvers()[0], at("2001:db8:1::53"));
  EXPECT_EQ(segment.mac_of(at("fe80::1")), kGatewayMac);
  EXPECT_TRUE(segment.neighbours().at(0).router);
  segment.learn(router_advertisement(0), kNow);
  EXPECT_TRUE(segment.gateways().empty());
  segment.add_gateway(at("fe80::1"));
  segment.learn(router_advertisement(0), kNow);
  EXPECT_EQ(segment.gateways().size(), 1U) << "what was told is not taken back by the network";
}

TEST(Segment, NeighbourDiscoveryFromBeyondARouterIsNotBelieved) {
  Segment segment;
  segment.add_own({.address = at("2001:db8:1::9"), .prefix_length = 64});
  segment.learn(router_advertisement(1800, 254), kNow);
  EXPECT_TRUE(segment.gateways().empty());
  segment.learn(neighbour_advertisement("2001:db8:7::50", kNeighbourMac, 254), kNow);
  EXPECT_FALSE(segment.mac_of(at("2001:db8:7::50")));
  segment.learn(neighbour_advertisement("2001:db8:1::50", kNeighbourMac, 255), kNow);
  EXPECT_EQ(segment.mac_of(at("2001:db8:1::50")), kNeighbourMac);
}

TEST(Segment, LearnsFromAnotherHostsDhcpAck) {
  Segment segment;
  segment.learn(datagram(kGatewayMac, "10.0.1.1", "255.255.255.255", 67, 68, dhcp_ack()), kNow);
  EXPECT_EQ(segment.gateways(), std::vector<IpAddress>{at("10.0.1.1")});
  EXPECT_EQ(segment.resolvers(), std::vector<IpAddress>{at("10.0.1.53")});
  EXPECT_EQ(segment.wpad(), "http://wpad.test/p");
}

TEST(Segment, WhoAnswersDnsIsAResolver) {
  Segment segment;
  segment.learn(datagram(kGatewayMac, "10.9.9.9", "10.0.1.50", 53, 40'000, dns_answer()), kNow);
  EXPECT_EQ(segment.resolvers(), std::vector<IpAddress>{at("10.9.9.9")});
  Bytes question = dns_answer();
  question[2] = 1;
  segment.learn(datagram(kGatewayMac, "10.9.9.8", "10.0.1.50", 53, 53, question), kNow);
  segment.learn(datagram(kGatewayMac, "10.9.9.7", "10.0.1.50", 53, 53, Bytes{1, 2, 3}), kNow);
  EXPECT_EQ(segment.resolvers().size(), 1U);
}

TEST(Segment, AFloodOfAddressesEvictsTheOldestButNoGatewayOrResolver) {
  Segment segment;
  segment.add_gateway(at("10.0.0.1"));
  segment.add_resolver(at("10.0.0.53"));
  segment.learn(arp_answer(kGatewayMac, "10.0.0.1"), kNow);
  segment.learn(arp_answer(kGatewayMac, "10.0.0.53"), kNow);
  segment.learn(arp_answer(kNeighbourMac, "10.0.0.50"), kNow);
  for (std::uint32_t i = 0; i < 3 * Segment::kMostNeighbours; ++i) {
    const MacAddress mac{{2, 7, 0, static_cast<std::uint8_t>(i >> 16),
                          static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
    const IpAddress address = IpAddress::v4(0x0a010000U + i + 1);
    segment.learn(ethernet(kOurs, mac, kEtherArp, arp(2, mac, address, kOurs, at("10.0.0.9"))),
                  kNow + Duration(i));
  }
  EXPECT_EQ(segment.neighbours().size(), Segment::kMostNeighbours);
  EXPECT_EQ(segment.mac_of(at("10.0.0.1")), kGatewayMac);
  EXPECT_EQ(segment.mac_of(at("10.0.0.53")), kGatewayMac);
  EXPECT_FALSE(segment.mac_of(at("10.0.0.50")));
  EXPECT_TRUE(segment.mac_of(IpAddress::v4(0x0a010000U + 3 * Segment::kMostNeighbours)));
  EXPECT_LE(segment.silent_macs(), Segment::kMostNeighbours);
}

TEST(Segment, WhatWasToldIsNotPushedOutByWhatIsHeard) {
  Segment segment;
  for (std::uint32_t i = 1; i <= 100; ++i) {
    segment.learn(datagram(kGatewayMac, IpAddress::v4(0x0a090000U + i).to_string(), "10.0.1.50", 53,
                           40'000, dns_answer()),
                  kNow);
  }
  EXPECT_EQ(segment.resolvers().size(), Segment::kMostResolvers);
  segment.add_resolver(at("10.0.0.53"));
  EXPECT_EQ(segment.resolvers().size(), Segment::kMostResolvers);
  EXPECT_EQ(segment.resolvers().front(), at("10.0.0.53"));
}

TEST(Segment, SpeaksFromTheAddressThatFits) {
  Segment segment;
  segment.add_own({.address = at("fe80::9"), .prefix_length = 64, .link_local = true});
  EXPECT_FALSE(segment.own_for(at("2001:db8:ffff::10")));
  EXPECT_FALSE(segment.own_for(at("10.0.1.1")));
  segment.add_own({.address = at("2001:db8:1::9"), .prefix_length = 64});
  segment.add_own({.address = at("10.0.1.9"), .prefix_length = 24});
  segment.add_own({.address = at("10.0.2.9"), .prefix_length = 24});
  EXPECT_EQ(segment.own_for(at("2001:db8:ffff::10"))->address, at("2001:db8:1::9"));
  EXPECT_EQ(segment.own_for(at("fe80::1"))->address, at("fe80::9"));
  EXPECT_EQ(segment.own_for(at("10.0.2.1"))->address, at("10.0.2.9"));
  EXPECT_TRUE(segment.own_for(at("203.0.113.10")));
  EXPECT_TRUE(segment.is_on_link(at("10.0.2.77")));
  EXPECT_FALSE(segment.is_on_link(at("203.0.113.10")));
}

TEST(Segment, TaggedFramesAreOfAnotherNetwork) {
  Segment segment;
  Bytes inner{0, 7, 0x08, 0x06};
  const Bytes said = arp(2, kNeighbourMac, at("10.0.1.50"), kOurs, at("10.0.1.9"));
  inner.insert(inner.end(), said.begin(), said.end());
  segment.learn(ethernet(kOurs, kNeighbourMac, kEtherVlan, inner), kNow);
  EXPECT_TRUE(segment.neighbours().empty());
}

}  // namespace
}  // namespace beaconry
