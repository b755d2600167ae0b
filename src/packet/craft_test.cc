#include "packet/craft.h"

#include <gtest/gtest.h>
#include <tins/tins.h>

#include "packet/parse.h"

namespace beaconry {
namespace {

const MacAddress kOurs{{2, 0, 0, 0, 0, 1}}, kTheirs{{2, 0, 0, 0, 0, 2}};
const IpAddress kV4 = *IpAddress::parse("10.0.1.2"), kHomeV4 = *IpAddress::parse("203.0.113.10");
const IpAddress kV6 = *IpAddress::parse("2001:db8:1::2"),
                kHomeV6 = *IpAddress::parse("2001:db8:ffff::10");

Bytes text(std::string_view words) {
  return Bytes(words.begin(), words.end());
}

// libtins fills checksums in when it serializes: what it makes of our bytes must be our bytes.
Bytes as_tins_writes(const Bytes& frame) {
  return Tins::EthernetII(frame.data(), static_cast<std::uint32_t>(frame.size())).serialize();
}

ParsedPacket parsed(const Bytes& frame) {
  ParsedPacket packet;
  EXPECT_EQ(kParsed, parse_packet(kLinkEthernet, frame.data(), frame.data() + frame.size(),
                                  static_cast<std::uint32_t>(frame.size()), &packet));
  return packet;
}

Bytes framed(const Bytes& packet) {
  return ethernet(kTheirs, kOurs, packet[0] >> 4 == 4 ? kEtherIpv4 : kEtherIpv6, packet);
}

struct Family {
  const char* name;
  IpAddress source, destination;
};
class CraftFamily : public testing::TestWithParam<Family> {};
INSTANTIATE_TEST_SUITE_P(Both, CraftFamily,
                         testing::Values(Family{"v4", kV4, kHomeV4}, Family{"v6", kV6, kHomeV6}),
                         [](const auto& of) { return of.param.name; });

TEST_P(CraftFamily, UdpIsReadBackAndHasTheChecksumThatAnotherLibraryGives) {
  const auto& [name, source, destination] = GetParam();
  for (const std::string_view payload : {"", "x", "ping", "an odd one"}) {
    // long enough that no library pads it
    const Bytes data = text(std::string(40, 'p') + std::string(payload));
    const Bytes frame =
        framed(ip(source, destination, kProtocolUdp, udp(source, destination, 4711, 443, data)));
    const ParsedPacket packet = parsed(frame);
    EXPECT_EQ(packet.source_port, 4711);
    EXPECT_EQ(packet.destination_port, 443);
    EXPECT_EQ(packet.protocol, kProtocolUdp);
    EXPECT_EQ(Bytes(packet.payload, packet.payload + packet.payload_captured), data);
    EXPECT_EQ(frame, as_tins_writes(frame));
  }
}

TEST_P(CraftFamily, TcpIsReadBackAndHasTheChecksumThatAnotherLibraryGives) {
  const auto& [name, source, destination] = GetParam();
  TcpHeader header;
  header.source_port = 4711;
  header.destination_port = 443;
  header.sequence = 0xdeadbeef;
  header.acknowledgement = 0x01020304;
  header.flags = kTcpSyn | kTcpAck;
  for (const bool with_option : {false, true}) {
    header.most_segment = with_option ? std::optional<std::uint16_t>(1460) : std::nullopt;
    const Bytes data = text(std::string(41, 'p'));
    const Bytes frame =
        framed(ip(source, destination, kProtocolTcp, tcp(source, destination, header, data)));
    const ParsedPacket packet = parsed(frame);
    EXPECT_EQ(packet.tcp_sequence, 0xdeadbeef);
    EXPECT_EQ(packet.tcp_flags, kTcpSyn | kTcpAck);
    EXPECT_EQ(Bytes(packet.payload, packet.payload + packet.payload_captured), data);
    EXPECT_EQ(frame, as_tins_writes(frame));
    const Tins::EthernetII tins(frame.data(), static_cast<std::uint32_t>(frame.size()));
    if (with_option) {
      EXPECT_EQ(tins.rfind_pdu<Tins::TCP>().mss(), 1460);
    }
    EXPECT_EQ(tins.rfind_pdu<Tins::TCP>().ack_seq(), 0x01020304U);
  }
}

TEST(Craft, EchoesHaveTheChecksumsThatAnotherLibraryGives) {
  const Bytes data = text(std::string(33, 'e'));
  const Bytes v4 = framed(ip(kV4, kHomeV4, kProtocolIcmp, icmp(8, 0, 0x12340001, data)));
  EXPECT_EQ(parsed(v4).icmp_type, 8);
  EXPECT_EQ(v4, as_tins_writes(v4));
  const Tins::EthernetII tins4(v4.data(), static_cast<std::uint32_t>(v4.size()));
  EXPECT_EQ(tins4.rfind_pdu<Tins::ICMP>().id(), 0x1234);

  const Bytes v6 =
      framed(ip(kV6, kHomeV6, kProtocolIcmpv6, icmpv6(kV6, kHomeV6, 128, 0, 0x12340001, data)));
  EXPECT_EQ(parsed(v6).icmp_type, 128);
  EXPECT_EQ(v6, as_tins_writes(v6));
}

TEST(Craft, FragmentsAndOptionsStandWhereTheyBelong) {
  Ipv4Header header;
  header.source = kV4;
  header.destination = kHomeV4;
  header.protocol = kProtocolUdp;
  header.identification = 0xabcd;
  header.ttl = 3;
  header.fragment_offset = 100;
  header.more_fragments = true;
  header.options = {131, 7, 4, 10, 0, 1, 50};  // LSRR, one byte short of a word
  const Bytes frame = framed(ipv4(header, text(std::string(48, 'f'))));
  const ParsedPacket packet = parsed(frame);
  EXPECT_EQ(packet.fragment, kLaterFragment);
  EXPECT_EQ(packet.ip_header, 28);
  EXPECT_EQ(finish_checksum(add_to_checksum(0, ByteView(frame).subspan(14, 28))), 0);
  const Tins::EthernetII tins(frame.data(), static_cast<std::uint32_t>(frame.size()));
  const auto& ip = tins.rfind_pdu<Tins::IP>();
  EXPECT_EQ(ip.id(), 0xabcd);
  EXPECT_EQ(ip.ttl(), 3);
  EXPECT_EQ(ip.fragment_offset(), 100);
  EXPECT_EQ(ip.flags(), Tins::IP::MORE_FRAGMENTS);

  header = {};
  header.source = kV4;
  header.destination = kHomeV4;
  header.dont_fragment = true;
  const Bytes whole = ipv4(header, {});
  EXPECT_EQ(whole[6], 0x40);
}

TEST(Craft, UdpLiteCoversItself) {
  const Bytes datagram = udp_lite(kV4, kHomeV4, 1, 2, text("ping!"));
  // RFC 3828 §3.1: the pseudo header has the protocol 136 and the length that IP says.
  std::uint32_t sum = add_to_checksum(0, ByteView(kV4.bytes()).subspan(12));
  sum = add_to_checksum(sum, ByteView(kHomeV4.bytes()).subspan(12));
  sum += 136 + 13;
  EXPECT_EQ(finish_checksum(add_to_checksum(sum, datagram)), 0);
}

TEST(Craft, AZeroUdpChecksumIsSentAsOnes) {
  bool seen = false;
  for (unsigned port = 1; port < 65'536 && !seen; ++port) {
    const Bytes datagram = udp(kV4, kHomeV4, static_cast<std::uint16_t>(port), 1, {});
    ASSERT_FALSE(datagram[6] == 0 && datagram[7] == 0);
    seen = datagram[6] == 0xff && datagram[7] == 0xff;
  }
  EXPECT_TRUE(seen);
}

TEST(Craft, ArpSaysWhatAnotherLibraryReads) {
  const IpAddress target = *IpAddress::parse("10.0.1.1");
  const Bytes frame =
      ethernet(MacAddress::broadcast(), kOurs, kEtherArp, arp(1, kOurs, kV4, {}, target));
  EXPECT_EQ(frame.size(), 42U);
  const Tins::EthernetII tins(frame.data(), static_cast<std::uint32_t>(frame.size()));
  const auto& read = tins.rfind_pdu<Tins::ARP>();
  EXPECT_EQ(read.opcode(), Tins::ARP::REQUEST);
  EXPECT_EQ(read.sender_ip_addr().to_string(), "10.0.1.2");
  EXPECT_EQ(read.target_ip_addr().to_string(), "10.0.1.1");
  EXPECT_EQ(read.sender_hw_addr().to_string(), "02:00:00:00:00:01");
  EXPECT_EQ(tins.dst_addr().to_string(), "ff:ff:ff:ff:ff:ff");
}

TEST(Craft, ChecksumsContinueOverParts) {
  const Bytes whole = text("abcdefgh");
  const std::uint32_t parts = add_to_checksum(add_to_checksum(0, text("abcd")), text("efgh"));
  EXPECT_EQ(finish_checksum(parts), finish_checksum(add_to_checksum(0, whole)));
  EXPECT_EQ(finish_checksum(add_to_checksum(0, Bytes(70'001, 0xff))),
            finish_checksum(add_to_checksum(0, Bytes{0xff, 0x00})));
}

}  // namespace
}  // namespace beaconry
