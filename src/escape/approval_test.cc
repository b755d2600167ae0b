// What the profile ot sends to nobody, because nobody approved it: docs/escape.md.
#include <gtest/gtest.h>

#include "escape/budget.h"
#include "escape/segment.h"
#include "escape/stack/frame.h"
#include "escape/test_link.h"
#include "escape/translated.h"
#include "packet/craft.h"

namespace beaconry {
namespace {

using test::TestLink;

IpAddress at(std::string_view text) {
  return *IpAddress::parse(text);
}

const MacAddress kGatewayMac{{2, 0, 0, 0, 0, 1}}, kHostMac{{2, 0, 0, 0, 0, 0x50}};
constexpr Timestamp kNow{std::chrono::seconds{1'795'000'000}};

class Approval : public testing::Test {
 protected:
  Approval() {
    config.profile = Profile::ot;
    config.home.addresses = {at("203.0.113.10"), at("2001:db8:ffff::10")};
    config.gateways = {at("10.0.1.1"), at("fe80::1")};
    config.resolvers = {at("192.0.2.53")};
    config.packets_a_second = 1000;
    config.bytes_a_second = 1e6;
    for (const char* own : {"10.0.1.9", "2001:db8:1::9"}) {
      Segment::OwnAddress made;
      made.address = at(own);
      made.prefix_length = made.address.is_v4() ? 24 : 64;
      segment.add_own(made);
    }
    for (const IpAddress& gateway : config.gateways)
      segment.add_gateway(gateway);
    segment.add_resolver(config.resolvers[0]);
    segment.learn(ethernet(link.facts().mac, kGatewayMac, kEtherArp,
                           arp(2, kGatewayMac, at("10.0.1.1"), link.facts().mac, at("10.0.1.9"))),
                  kNow);
    const IpAddress router = at("fe80::1"), all = at("ff02::1");
    Bytes body(8, 0);
    body.insert(body.end(), {1, 1, 2, 0, 0, 0, 0, 1});
    segment.learn(
        ethernet({{0x33, 0x33, 0, 0, 0, 1}}, kGatewayMac, kEtherIpv6,
                 ip(router, all, kProtocolIcmpv6, icmpv6(router, all, 134, 0, 1800, body), 255)),
        kNow);
  }

  // Through the gateway, by TCP, as a conversation that was led there would.
  Egress::Answer send(std::string_view destination) {
    const IpAddress to = at(destination), from = segment.own_for(to)->address;
    TcpHeader syn;
    syn.source_port = 50'000;
    syn.destination_port = 8080;
    syn.flags = kTcpSyn;
    Egress egress(config, link);
    egress.set_own({at("10.0.1.9"), at("2001:db8:1::9")});
    egress.follow(&segment);
    return egress.send(ethernet(kGatewayMac, link.facts().mac, to.is_v4() ? kEtherIpv4 : kEtherIpv6,
                                ip(from, to, kProtocolTcp, tcp(from, to, syn, {}))),
                       MethodId::http_proxy, 0, kNow);
  }

  ProbeConfig config;
  Segment segment;
  TestLink link;
};

TEST_F(Approval, AProxyThatSomebodyElseNamedIsNotAsked) {
  for (const char* proxy : {"198.51.100.7", "10.7.7.7", "2001:db8:bad::1", "64:ff9b::c633:6407"}) {
    const Egress::Answer answer = send(proxy);
    EXPECT_EQ(answer.verdict, Egress::Verdict::forbidden) << proxy;
    EXPECT_NE(answer.why.find("its configuration does not name"), std::string::npos) << answer.why;
  }
  EXPECT_TRUE(link.sent.empty());
}

TEST_F(Approval, WhatTheConfigurationNamesIsReached) {
  config.control = ProbeConfig::Control{};
  config.control->destination = at("198.51.100.99");
  config.neighbours = {at("198.51.100.8")};
  Peer peer;
  peer.address = at("10.2.0.9");
  config.peers = {peer};
  for (const char* place : {"203.0.113.10", "2001:db8:ffff::10", "192.0.2.53", "198.51.100.99",
                            "198.51.100.8", "10.2.0.9"}) {
    EXPECT_EQ(send(place).verdict, Egress::Verdict::sent) << place << ": " << send(place).why;
  }
}

TEST_F(Approval, HomeBehindATranslatorIsHome) {
  const auto forms = translated_forms(at("203.0.113.10"));
  ASSERT_EQ(forms.size(), 3U);
  for (const IpAddress& form : forms)
    EXPECT_EQ(send(form.to_string()).verdict, Egress::Verdict::sent) << form.to_string();
}

TEST_F(Approval, OtherProfilesFollowWhatTheNetworkSays) {
  config.profile = Profile::office;
  EXPECT_EQ(send("198.51.100.7").verdict, Egress::Verdict::sent);
}

Bytes datagram(const MacAddress& mac, std::string_view from, std::uint16_t source_port,
               std::uint16_t port, ByteView payload) {
  const IpAddress source = at(from), all = at("255.255.255.255");
  return ethernet(MacAddress::broadcast(), mac, kEtherIpv4,
                  ip(source, all, kProtocolUdp, udp(source, all, source_port, port, payload), 64));
}

TEST(CautiousSegment, BelievesNoHostThatItsWordIsAGatewayAResolverOrAProxy) {
  Segment segment;
  segment.believe_only_routers();
  Bytes ack(236, 0);
  ack[0] = 2;
  ack[1] = 1;
  ack[2] = 6;
  ack.insert(ack.end(), {0x63, 0x82, 0x53, 0x63, 53, 1, 5, 3, 4, 10, 0, 1, 66, 6, 4, 10, 0, 1, 66});
  const std::string_view wpad = "http://10.0.1.66/p";
  ack.insert(ack.end(), {252, static_cast<std::uint8_t>(wpad.size())});
  ack.insert(ack.end(), wpad.begin(), wpad.end());
  ack.push_back(255);
  segment.learn(datagram(kHostMac, "10.0.1.66", 67, 68, ack), kNow);
  const Bytes answer{0, 1,   0x81, 0x80, 0,   1,   0,   0, 0, 0, 0, 0,
                     1, 'a', 4,    't',  'e', 's', 't', 0, 0, 1, 0, 1};
  segment.learn(datagram(kHostMac, "10.0.1.66", 53, 40'000, answer), kNow);
  EXPECT_TRUE(segment.gateways().empty());
  EXPECT_TRUE(segment.resolvers().empty());
  EXPECT_TRUE(segment.wpad().empty());
  segment.add_gateway(at("10.0.1.1"));
  segment.set_wpad("http://10.0.1.1/p");
  EXPECT_EQ(segment.gateways().size(), 1U);
  EXPECT_FALSE(segment.wpad().empty());
}

}  // namespace
}  // namespace beaconry
