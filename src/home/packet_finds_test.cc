#include "home/packet_finds.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "packet/craft.h"
#include "packet/parse.h"
#include "ping/test_pings.h"

namespace beaconry {
namespace {

const IpAddress kProbe = *IpAddress::parse("198.51.100.5");
const IpAddress kHome = *IpAddress::parse("203.0.113.10");
constexpr std::uint16_t kDns = 53;

Bytes sealed() {
  static const Bytes bytes = seal(sample_ping(), *SharedKey::make(party(1), party(2).box_public()));
  return bytes;
}

TEST(PacketFinds, APingIsFoundWhateverCarriesIt) {
  Ipv4Header later;
  later.source = kProbe;
  later.destination = kHome;
  later.protocol = kProtocolTcp;
  later.fragment_offset = 3;
  Ipv4Header routed;
  routed.source = kProbe;
  routed.destination = kHome;
  routed.protocol = 200;
  routed.options = {131, 7, 4, 10, 0, 0, 1};
  const TcpHeader reset{4000, 80, 1, 0, kTcpRst, 0, {}};
  const Bytes packets[] = {
      ip(kProbe, kHome, kProtocolUdp, udp(kProbe, kHome, 4000, 443, sealed())),
      ip(kProbe, kHome, kProtocolTcp, tcp(kProbe, kHome, reset, sealed())),
      ip(kProbe, kHome, 253, sealed()),
      ipv4(later, sealed()),
      ipv4(routed, sealed()),
      ip(kProbe, kHome, kProtocolIcmp, icmp(13, 0, 0, sealed())),
  };
  for (const Bytes& packet : packets) {
    const auto find = find_in_packet(packet, kDns);
    ASSERT_TRUE(find && find->ping);
    EXPECT_EQ(find->ping->sealed, sealed());
    EXPECT_EQ(find->seen.source, kProbe);
    EXPECT_EQ(find->seen.destination, kHome);
    EXPECT_EQ(find->seen.carrier, Carrier::payload);
    EXPECT_EQ(find->seen.ttl, 64);
    EXPECT_EQ(find->seen.raw, as_text(packet));
  }
}

TEST(PacketFinds, WhatCarriedItIsNamed) {
  const Bytes echo = ip(kProbe, kHome, kProtocolIcmp, icmp(8, 0, 0x12340007, sealed()));
  EXPECT_EQ(find_in_packet(echo, kDns)->echo, 0x12340007U);
  const Bytes reply = ip(kProbe, kHome, kProtocolIcmp, icmp(0, 0, 0x12340007, sealed()));
  EXPECT_EQ(find_in_packet(reply, kDns)->seen.carrier, Carrier::echo_reply);
  EXPECT_FALSE(find_in_packet(reply, kDns)->echo);
  const Bytes inner = ip(kHome, kProbe, kProtocolUdp, udp(kHome, kProbe, 1, 2, sealed()));
  const Bytes error = ip(kProbe, kHome, kProtocolIcmp, icmp(3, 3, 0, inner));
  EXPECT_EQ(find_in_packet(error, kDns)->seen.carrier, Carrier::quoted);
  const std::string text = ping_text(sealed());
  const auto datagram = [&](std::uint16_t port) {
    return ip(kProbe, kHome, kProtocolUdp, udp(kProbe, kHome, 4000, port, as_bytes(text)));
  };
  EXPECT_EQ(find_in_packet(datagram(53), kDns)->seen.carrier, Carrier::dns_question);
  EXPECT_EQ(find_in_packet(datagram(514), kDns)->seen.carrier, Carrier::text);
}

TEST(PacketFinds, TokensStandInAnswersToWhatBoreHomesAddress) {
  const BounceToken token{0x12345678, 0x9abc};
  const TcpHeader answer{80, token.half, 7, token.word + 1, kTcpRst | kTcpAck, 0, {}};
  const auto reset =
      find_in_packet(ip(kProbe, kHome, kProtocolTcp, tcp(kProbe, kHome, answer, {})), kDns);
  ASSERT_TRUE(reset && reset->token);
  EXPECT_EQ(*reset->token, token);
  EXPECT_EQ(reset->seen.carrier, Carrier::syn_answer);
  // The error's least: IP header and eight bytes.
  Bytes inner =
      ip(kHome, kProbe, kProtocolUdp, udp(kHome, kProbe, 0x1234, 0x5678, sealed()), 64, token.half);
  inner.resize(28);
  const auto quoted = find_in_packet(ip(kProbe, kHome, kProtocolIcmp, icmp(11, 0, 0, inner)), kDns);
  ASSERT_TRUE(quoted && quoted->token);
  EXPECT_EQ(*quoted->token, token);
  EXPECT_EQ(quoted->sent_as, BounceForm::closed_port);
}

TEST(PacketFinds, OrdinaryPacketsHoldNothing) {
  const TcpHeader data{4000, 80, 1, 1, kTcpAck, 64'240, {}};
  EXPECT_FALSE(find_in_packet(
      ip(kProbe, kHome, kProtocolTcp, tcp(kProbe, kHome, data, as_bytes("GET / HTTP/1.1"))), kDns));
  EXPECT_FALSE(find_in_packet({}, kDns));
  EXPECT_FALSE(find_in_packet(as_bytes("Eabc"), kDns));
}

RC_GTEST_PROP(PacketFinds, NoSpoiltPacketIsReadBeyondItsEnd, ()) {
  Bytes packet =
      ip(kProbe, kHome, kProtocolIcmp,
         icmp(3, 3, 0, ip(kHome, kProbe, kProtocolUdp, udp(kHome, kProbe, 1, 2, sealed()))));
  packet.resize(*rc::gen::inRange<std::size_t>(0, packet.size() + 1));
  packet.shrink_to_fit();
  for (int i = 0; i < 4 && !packet.empty(); ++i) {
    packet[*rc::gen::inRange<std::size_t>(0, packet.size())] = *rc::gen::arbitrary<std::uint8_t>();
  }
  const auto find = find_in_packet(packet, kDns);
  // One value: RapidCheck's own || looks at both of its sides.
  const bool is_one_of_both = !find || find->ping.has_value() != find->token.has_value();
  RC_ASSERT(is_one_of_both);
}

}  // namespace
}  // namespace beaconry
