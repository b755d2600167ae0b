#include "packet/parse.h"

#include <gtest/gtest.h>
#include <tins/tins.h>

#include <functional>

#include "base/ip_address.h"
#include "packet/test_messages.h"

namespace beaconry {
namespace {

using test_messages::Bytes;
using namespace Tins;  // NOLINT: its operators build packets

ParsedPacket parse(std::uint32_t link, const Bytes& frame, ParseResult& result,
                   std::uint32_t wire = 0) {
  ParsedPacket packet;
  result = parse_packet(link, frame.data(), frame.data() + frame.size(),
                        std::max(wire, static_cast<std::uint32_t>(frame.size())), &packet);
  return packet;
}

EthernetII ethernet() {
  return EthernetII("02:00:00:00:00:02", "02:00:00:00:00:01");
}
IP ip() {
  return IP("203.0.113.9", "10.0.0.5");
}
IPv6 ip6() {
  return IPv6("2001:db8::2", "2001:db8::1");
}
TCP tcp() {
  TCP segment(443, 50'000);
  segment.flags(TCP::SYN | TCP::ACK);
  segment.seq(0xdeadbeef);
  return segment;
}
UDP udp() {
  return UDP(53, 50'001);
}
RawPDU payload(std::size_t size = 7) {
  return RawPDU(std::string(size, 'x'));
}

struct Case {
  const char* what;
  std::uint32_t link;
  std::function<Bytes()> frame;
  std::uint8_t protocol, ip_version, vlan_tags;
  std::uint16_t source_port, destination_port;
  std::uint32_t payload;
};

Bytes after(Bytes header, PDU&& pdu) {
  const Bytes rest = pdu.serialize();
  header.insert(header.end(), rest.begin(), rest.end());
  return header;
}

IP with_options() {
  IP header = ip();
  header.record_route(IP::record_route_type(4, {"10.0.0.1", "10.0.0.2", "10.0.0.3"}));
  return header;
}

TCP with_tcp_options() {
  TCP segment = tcp();
  segment.mss(1460);
  segment.timestamp(1, 2);
  segment.sack_permitted();
  return segment;
}

IPv6 with_headers(std::initializer_list<std::uint8_t> types) {
  IPv6 header = ip6();
  for (const auto type : types) {
    const Bytes content(type == 43 ? 22 : 6);  // length in units of 8, less the first
    header.add_header(IPv6::ext_header(type, content.size(), content.data()));
  }
  return header;
}

const Case kCases[] = {
    {"Ethernet, IPv4, TCP", kLinkEthernet,
     [] { return (ethernet() / ip() / tcp() / payload()).serialize(); }, 6, 4, 0, 50'000, 443, 7},
    {"Ethernet padding is not payload", kLinkEthernet,
     [] {
       Bytes frame = (ethernet() / ip() / tcp()).serialize();
       frame.resize(200, 0x55);
       return frame;
     },
     6, 4, 0, 50'000, 443, 0},
    {"UDP", kLinkEthernet, [] { return (ethernet() / ip() / udp() / payload(30)).serialize(); }, 17,
     4, 0, 50'001, 53, 30},
    {"one VLAN tag", kLinkEthernet,
     [] { return (ethernet() / Dot1Q(5) / ip() / tcp() / payload(40)).serialize(); }, 6, 4, 1,
     50'000, 443, 40},
    {"802.1ad with 802.1Q inside", kLinkEthernet,
     [] {
       Bytes frame = (ethernet() / Dot1Q(6) / Dot1Q(5) / ip() / tcp() / payload(40)).serialize();
       frame[12] = 0x88, frame[13] = 0xa8;
       return frame;
     },
     6, 4, 2, 50'000, 443, 40},
    {"four tags", kLinkEthernet,
     [] {
       return (ethernet() / Dot1Q(1) / Dot1Q(2) / Dot1Q(3) / Dot1Q(4) / ip6() / udp() / payload(9))
           .serialize();
     },
     17, 6, 4, 50'001, 53, 9},
    {"IPv4 options", kLinkEthernet,
     [] {
       Bytes frame = (ethernet() / with_options() / tcp() / payload(11)).serialize();
       frame[14 + 36] = 50'000 >> 8;  // libtins 4.0 clears the byte behind its options
       return frame;
     },
     6, 4, 0, 50'000, 443, 11},
    {"TCP options", kLinkEthernet,
     [] { return (ethernet() / ip() / with_tcp_options() / payload(11)).serialize(); }, 6, 4, 0,
     50'000, 443, 11},
    {"IPv6", kLinkEthernet, [] { return (ethernet() / ip6() / tcp() / payload(3)).serialize(); }, 6,
     6, 0, 50'000, 443, 3},
    {"IPv6 hop-by-hop and destination options", kLinkEthernet,
     [] {
       return (ethernet() / with_headers({0, 60}) / tcp() / payload(3)).serialize();
     },
     6, 6, 0, 50'000, 443, 3},
    {"IPv6 routing header", kLinkEthernet,
     [] {
       return (ethernet() / with_headers({0, 43, 60}) / udp() / payload(3)).serialize();
     },
     17, 6, 0, 50'001, 53, 3},
    {"ICMP echo", kLinkEthernet,
     [] { return (ethernet() / ip() / ICMP(ICMP::ECHO_REQUEST) / payload(56)).serialize(); }, 1, 4,
     0, 0, 0, 56},
    {"another protocol", kLinkRaw,
     [] {
       IP header = ip();
       header.protocol(47);
       Bytes frame = (header / payload(20)).serialize();
       frame[9] = 47;
       return frame;
     },
     47, 4, 0, 0, 0, 20},
    {"raw IPv4", kLinkRaw, [] { return (ip() / udp() / payload(1)).serialize(); }, 17, 4, 0, 50'001,
     53, 1},
    {"raw IPv6", kLinkRaw, [] { return (ip6() / udp() / payload(1)).serialize(); }, 17, 6, 0,
     50'001, 53, 1},
    {"raw, by BSD's number", kLinkRawBsd, [] { return (ip() / udp() / payload(1)).serialize(); },
     17, 4, 0, 50'001, 53, 1},
    {"raw, by OpenBSD's number", kLinkRawOpenBsd,
     [] { return (ip() / udp() / payload(1)).serialize(); }, 17, 4, 0, 50'001, 53, 1},
    {"LINKTYPE_IPV4", kLinkIpv4, [] { return (ip() / udp() / payload(1)).serialize(); }, 17, 4, 0,
     50'001, 53, 1},
    {"LINKTYPE_IPV6", kLinkIpv6, [] { return (ip6() / udp() / payload(1)).serialize(); }, 17, 6, 0,
     50'001, 53, 1},
    {"Linux cooked", kLinkCooked, [] { return (SLL() / ip() / tcp() / payload(2)).serialize(); }, 6,
     4, 0, 50'000, 443, 2},
    {"Linux cooked, version 2", kLinkCooked2,
     [] {
       Bytes header(20);
       header[0] = 0x86, header[1] = 0xdd;
       return after(header, ip6() / tcp() / payload(2));
     },
     6, 6, 0, 50'000, 443, 2},
    {"loopback of a little-endian BSD", kLinkNull,
     [] {
       return after({2, 0, 0, 0}, ip() / tcp() / payload(2));
     },
     6, 4, 0, 50'000, 443, 2},
    {"loopback of a big-endian BSD", kLinkNull,
     [] {
       return after({0, 0, 0, 30}, ip6() / tcp() / payload(2));
     },
     6, 6, 0, 50'000, 443, 2},
    {"OpenBSD loopback", kLinkLoop,
     [] {
       return after({0, 0, 0, 24}, ip6() / udp());
     },
     17, 6, 0, 50'001, 53, 0},
};

TEST(Parse, ReadsEveryLinkTypeTagAndHeader) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.what);
    ParseResult result;
    const Bytes frame = c.frame();
    const ParsedPacket packet = parse(c.link, frame, result);
    ASSERT_EQ(result, kParsed);
    EXPECT_EQ(packet.protocol, c.protocol);
    EXPECT_EQ(packet.ip_version, c.ip_version);
    EXPECT_EQ(packet.vlan_tags, c.vlan_tags);
    EXPECT_EQ(packet.source_port, c.source_port);
    EXPECT_EQ(packet.destination_port, c.destination_port);
    EXPECT_EQ(packet.payload_length, c.payload);
    EXPECT_EQ(packet.payload_captured, c.payload);
    EXPECT_EQ(packet.fragment, kWhole);
    EXPECT_EQ(IpAddress::v6_bytes(packet.source).to_string(),
              c.ip_version == 4 ? "10.0.0.5" : "2001:db8::1");
    EXPECT_EQ(IpAddress::v6_bytes(packet.destination).to_string(),
              c.ip_version == 4 ? "203.0.113.9" : "2001:db8::2");
    if (packet.protocol == kProtocolTcp) {
      EXPECT_EQ(packet.tcp_flags, kTcpSyn | kTcpAck);
      EXPECT_EQ(packet.tcp_sequence, 0xdeadbeef);
    }
    if (c.payload > 0 && packet.protocol != 47) {
      EXPECT_EQ(packet.payload[0], 'x');
      EXPECT_EQ(packet.payload[packet.payload_captured - 1], 'x');
    }
  }
}

TEST(Parse, RefusesEveryCutOfAFrameWithoutReadingBeyondIt) {
  for (const Case& c : kCases) {
    const Bytes frame = c.frame();
    for (std::size_t size = 0; size < frame.size(); ++size) {
      Bytes cut;
      cut.reserve(frame.size());  // a place in memory even for nothing
      cut.assign(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
      ParseResult result;
      const ParsedPacket packet =
          parse(c.link, cut, result, static_cast<std::uint32_t>(frame.size()));
      // What is left still tells the ports and how much was sent, or it is refused.
      if (result == kParsed) {
        EXPECT_EQ(packet.payload_length, c.payload) << c.what << ' ' << size;
        EXPECT_LE(packet.payload_captured, c.payload);
        EXPECT_EQ(packet.destination_port, c.destination_port);
      } else {
        EXPECT_TRUE(result == kTruncatedLink || result == kTruncatedIp || result == kTruncatedPorts)
            << c.what << ' ' << size << ' ' << result;
      }
    }
  }
}

TEST(Parse, FirstFragmentHasPortsAndLaterOnesNone) {
  IP header = ip();
  header.flags(IP::MORE_FRAGMENTS);
  ParseResult result;
  ParsedPacket packet = parse(kLinkRaw, (header / udp() / payload(16)).serialize(), result);
  ASSERT_EQ(result, kParsed);
  EXPECT_EQ(packet.fragment, kFirstFragment);
  EXPECT_EQ(packet.destination_port, 53);

  header.flags(IP::Flags(0));
  header.fragment_offset(3);
  Bytes later = (header / udp() / payload(16)).serialize();
  later[9] = 17;
  packet = parse(kLinkRaw, later, result);
  ASSERT_EQ(result, kParsed);
  EXPECT_EQ(packet.fragment, kLaterFragment);
  EXPECT_EQ(packet.protocol, 17);
  EXPECT_EQ(packet.destination_port, 0);

  for (const std::uint8_t offset : Bytes{0, 8}) {
    Bytes frame = (with_headers({60}) / udp() / payload(16)).serialize();
    frame[6] = 44;  // the destination header made a fragment header
    frame[42] = 0, frame[43] = static_cast<std::uint8_t>(offset | 1);
    packet = parse(kLinkRaw, frame, result);
    ASSERT_EQ(result, kParsed);
    EXPECT_EQ(packet.fragment, offset == 0 ? kFirstFragment : kLaterFragment);
    EXPECT_EQ(packet.protocol, 17);
    EXPECT_EQ(packet.destination_port, offset == 0 ? 53 : 0);
  }
}

TEST(Parse, TakesTheLengthOfTheWireWhereSegmentationIsLeftToTheCard) {
  Bytes frame = (ip() / tcp() / payload(100)).serialize();
  frame[2] = frame[3] = 0;
  ParseResult result;
  EXPECT_EQ(parse(kLinkRaw, frame, result).payload_length, 100U);
  EXPECT_EQ(parse(kLinkRaw, frame, result, 30'040).payload_length, 30'000U);
  EXPECT_LE(parse(kLinkRaw, frame, result, 0xffffffff).payload_length,
            kLargestSegmentation + frame.size());
}

TEST(Parse, SaysWhyAFrameIsRefused) {
  const auto changed = [](Bytes frame, std::size_t at, std::uint8_t value) {
    frame[at] = value;
    return frame;
  };
  const Bytes v4 = (ip() / tcp() / payload()).serialize();
  const Bytes v6 = (ip6() / udp() / payload()).serialize();
  const Bytes arp = ARP::make_arp_request("10.0.0.1", "10.0.0.2").serialize();
  const Bytes tagged =
      (ethernet() / Dot1Q(1) / Dot1Q(2) / Dot1Q(3) / Dot1Q(4) / Dot1Q(5) / ip()).serialize();
  const struct {
    const char* what;
    std::uint32_t link;
    Bytes frame;
    ParseResult expected;
  } cases[] = {
      {"802.11", 105, v4, kUnknownLinkType},
      {"ARP", kLinkEthernet, arp, kNotIp},
      {"five tags", kLinkEthernet, tagged, kTooManyTags},
      {"loopback of another family", kLinkNull, Bytes(64, 1), kNotIp},
      {"version 5", kLinkRaw, changed(v4, 0, 0x55), kBadIpVersion},
      {"IPv6 as IPv4", kLinkIpv4, v6, kBadIpVersion},
      {"IPv4 as IPv6", kLinkIpv6, v4, kBadIpVersion},
      {"header of 16 bytes", kLinkRaw, changed(v4, 0, 0x44), kBadIpLength},
      {"total below header", kLinkRaw, changed(v4, 3, 19), kBadIpLength},
      {"TCP header of 16 bytes", kLinkRaw, changed(v4, 32, 0x40), kBadTransport},
      {"TCP header beyond the packet", kLinkRaw, changed(v4, 32, 0xf0), kBadTransport},
      {"UDP length 7", kLinkRaw, changed(v6, 45, 7), kBadTransport},
      {"extension header beyond the packet", kLinkRaw,
       changed((with_headers({60}) / udp()).serialize(), 41, 200), kBadIpLength},
      {"nine extension headers", kLinkRaw,
       (with_headers({60, 60, 60, 60, 60, 60, 60, 60, 60}) / udp()).serialize(), kTooManyHeaders},
  };
  for (const auto& c : cases) {
    ParseResult result;
    Bytes frame = c.frame;
    if (c.expected == kNotIp && c.link == kLinkEthernet) frame[12] = 0x08, frame[13] = 0x06;
    parse(c.link, frame, result);
    EXPECT_EQ(result, c.expected) << c.what;
  }
}

}  // namespace
}  // namespace beaconry
