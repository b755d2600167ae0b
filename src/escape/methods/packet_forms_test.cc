#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <map>
#include <set>

#include "escape/ip_protocols.h"
#include "escape/methods/test_packets.h"
#include "escape/stack/frame.h"

// What each of the methods that send one packet a try sends.
namespace beaconry {
namespace {

using test::address;
using test::home_target;
using test::House;
using test::kGateway;
using test::kNeighbour;
using test::kPrinter;
using test::mac_address;
using test::sent_by;
using test::targets_of;
using test::TestWire;
using test::traits_shown;
using test::words_of;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

TEST(TcpMethods, SetTheFlagsOfTheirVariant) {
  House house(true, false);
  TestWire wire(house);
  EXPECT_EQ(read_frame(sent_by(wire, *find_method(MethodId::tcp_syn), home_target(443, 0)).frame)
                ->tcp_flags,
            kTcpSyn);
  for (const MethodId id : {MethodId::tcp_rst, MethodId::tcp_ack}) {
    std::set<std::uint8_t> flags;
    for (const Target& target : targets_of(*find_method(id), wire.scope())) {
      const TestWire::Sent sent = sent_by(wire, *find_method(id), target);
      const auto frame = read_frame(sent.frame);
      EXPECT_EQ(frame->tcp_flags, target.variant);
      EXPECT_EQ(frame->destination_port, target.port);
      flags.insert(frame->tcp_flags);
    }
    if (id == MethodId::tcp_rst) {
      EXPECT_THAT(flags, UnorderedElementsAre(0x04, 0x14));
    } else {
      EXPECT_THAT(flags, UnorderedElementsAre(0x18, 0x11, 0x12, 0x00, 0x29));
    }
  }
}

TEST(TcpMethods, SendFlagsThatNoHostSendsInLaboratoriesOnly) {
  House house(true, false);
  for (const Profile profile : {Profile::ot, Profile::office}) {
    house.config.profile = profile;
    for (const Target& target : targets_of(*find_method(MethodId::tcp_ack), house.scope()))
      EXPECT_NE(target.variant & kTcpAck, 0);
  }
}

TEST(PortMethods, TryEveryPortOnceInTheLongCycle) {
  House house;
  const Scope scope = house.scope(CycleKind::long_cycle);
  for (const MethodId id : {MethodId::udp_port, MethodId::tcp_syn}) {
    std::array<std::bitset<65'536>, 2> seen;
    ASSERT_EQ(find_method(id)->count(scope).count, 2 * 65'535U);
    for (std::uint64_t i = 0; i < 2 * 65'535; ++i) {
      const Target target = find_method(id)->target(scope, i);
      seen[target.destination.is_v4() ? 0 : 1].set(target.port);
    }
    for (const auto& ports : seen) {
      EXPECT_EQ(ports.count(), 65'535U);
      EXPECT_FALSE(ports.test(0));
    }
  }
}

TEST(PortMethods, TakeThePortsOfTheConfiguration) {
  House house(true, false);
  house.config.ports = {7, 4711};
  std::vector<std::uint16_t> ports;
  for (const Target& target : targets_of(*find_method(MethodId::tcp_syn), house.scope()))
    ports.push_back(target.port);
  EXPECT_THAT(ports, ElementsAre(7, 4711));
}

TEST(IcmpMethods, SendTheTypesThatTheirVariantsSay) {
  House house;
  TestWire wire(house);
  std::vector<int> types;
  for (const MethodId id : {MethodId::icmp, MethodId::icmpv6}) {
    for (const Target& target : targets_of(*find_method(id), wire.scope())) {
      const TestWire::Sent sent = sent_by(wire, *find_method(id), target);
      types.push_back(read_frame(sent.frame)->icmp_type);
    }
  }
  EXPECT_THAT(types, ElementsAre(8, 0, 13, 128, 129, 200));
}

TEST(IcmpMethods, PutThePingBehindTheThreeTimesOfATimestamp) {
  House house(true, false);
  TestWire wire(house);
  const TestWire::Sent sent = sent_by(wire, *find_method(MethodId::icmp), home_target(0, 13));
  const auto frame = read_frame(sent.frame);
  ASSERT_GT(frame->transport.size(), 20U);
  const auto midnight = std::chrono::floor<std::chrono::days>(test::kTestNow);
  EXPECT_EQ(parse_be32(frame->transport.data() + 8),
            static_cast<std::uint32_t>((test::kTestNow - midnight) / std::chrono::milliseconds{1}));
  EXPECT_TRUE(std::equal(kPingMagic.begin(), kPingMagic.end(), frame->transport.begin() + 20));
}

TEST(IpProto, SendsAll256NumbersInTheLongCycleAndHomeReadsEach) {
  House house;
  TestWire wire(house, CycleKind::long_cycle);
  const Method& method = *find_method(MethodId::ip_proto);
  const std::vector<Target> targets = targets_of(method, wire.scope());
  ASSERT_EQ(targets.size(), 512U);
  for (const Target& target : targets) {
    SCOPED_TRACE(words_of(target));
    const TestWire::Sent sent = sent_by(wire, method, target);
    const ByteView packet = sent.packet();
    EXPECT_EQ(packet[target.destination.is_v4() ? 9 : 6], target.variant);
    const auto frame = read_frame(sent.frame);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->kind, Frame::Kind::ip);
    EXPECT_EQ(traits_shown(house, sent.frame) & kMalformed, 0U);
    EXPECT_TRUE(wire.open(sent.frame));
  }
}

TEST(IpProto, ChecksumsAreWhatTheProtocolsWant) {
  House house(true, false);
  TestWire wire(house);
  for (const std::uint8_t protocol : std::vector<std::uint8_t>{2, 46, 89, 103, 112}) {
    const TestWire::Sent sent =
        sent_by(wire, *find_method(MethodId::ip_proto), home_target(0, protocol));
    const auto frame = read_frame(sent.frame);
    EXPECT_EQ(finish_checksum(add_to_checksum(0, frame->transport)), 0) << int{protocol};
  }
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);  // RFC 3720 §B.4's polynomial
}

TEST(NeighbourGateway, HandsHomesPacketToEachNeighbourOnceAFamily) {
  House house;
  TestWire wire(house);
  std::map<std::pair<bool, MacAddress>, int> frames;
  for (const Target& target : targets_of(*find_method(MethodId::neighbour_gateway), wire.scope())) {
    const TestWire::Sent sent = sent_by(wire, *find_method(MethodId::neighbour_gateway), target);
    EXPECT_EQ(read_frame(sent.frame)->ip_destination, target.destination);
    ++frames[{target.destination.is_v4(), sent.to()}];
  }
  // Echo, UDP, SYN. The printer has no IPv6 address, and might forward it all the same.
  EXPECT_EQ(frames, (std::map<std::pair<bool, MacAddress>, int>{{{true, kNeighbour}, 3},
                                                                {{true, kPrinter}, 3},
                                                                {{false, kNeighbour}, 3},
                                                                {{false, kPrinter}, 3}}));
}

TEST(NeighbourGateway, TriesASecondGateway) {
  House house(true, false);
  house.config.profile = Profile::ot;
  const Method& method = *find_method(MethodId::neighbour_gateway);
  EXPECT_EQ(method.count(house.scope()).why_none, "no neighbour is known that may be sent to");
  house.add_gateway("10.0.1.2", "02:00:00:00:00:02");
  TestWire wire(house);
  ASSERT_EQ(method.count(wire.scope()).count, 3U);
  EXPECT_EQ(sent_by(wire, method, method.target(wire.scope(), 0)).to(),
            mac_address("02:00:00:00:00:02"));
}

TEST(EthernetBroadcast, SendsToAllAndToAllRouters) {
  House house;
  TestWire wire(house);
  std::set<std::string> receivers;
  for (const Target& target :
       targets_of(*find_method(MethodId::ethernet_broadcast), wire.scope())) {
    const TestWire::Sent sent = sent_by(wire, *find_method(MethodId::ethernet_broadcast), target);
    EXPECT_EQ(read_frame(sent.frame)->ip_destination, target.destination);
    receivers.insert(sent.to().to_string());
  }
  EXPECT_THAT(receivers,
              UnorderedElementsAre("ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:02", "33:33:00:00:00:02"));
}

TEST(VlanDoubleTag, PutsTheOuterTagBeforeTheInner) {
  House house(true, false);
  TestWire wire(house, CycleKind::long_cycle);
  const Method& method = *find_method(MethodId::vlan_double_tag);
  EXPECT_EQ(method.count(wire.scope()).count, 6 * 4094U);
  const TestWire::Sent sent = sent_by(wire, method, home_target(0x123, 10));
  EXPECT_THAT(Bytes(sent.frame.begin() + 12, sent.frame.begin() + 22),
              ElementsAre(0x81, 0x00, 0, 10, 0x81, 0x00, 0x01, 0x23, 0x08, 0x00));
  EXPECT_EQ(read_frame(sent.frame)->destination_port, 0x123);
}

TEST(VlanDoubleTag, AsksEverybodyWhereNoGatewayIsKnown) {
  House house(false, false);
  house.config.home.addresses = {address("203.0.113.10")};
  house.add_own("10.0.1.9", 24);
  TestWire wire(house);
  const Method& method = *find_method(MethodId::vlan_double_tag);
  EXPECT_TRUE(sent_by(wire, method, method.target(wire.scope(), 0)).to().is_broadcast());
}

// A header's token, as ping/seal.h places it.
BounceToken token_in(const TestWire::Sent& sent) {
  const auto frame = read_frame(sent.frame);
  const ByteView packet = sent.packet(), transport = frame->transport;
  if (frame->protocol == kProtocolTcp) {
    return {parse_be32(transport.data() + 4), parse_be16(transport.data())};
  }
  const std::uint16_t mark =
      frame->ip_source.is_v4() ? parse_be16(packet.data() + 4) : parse_be16(packet.data() + 2);
  const bool echo = frame->protocol != kProtocolUdp;
  return {parse_be32(transport.data() + (echo ? 4 : 0)), mark};
}

TEST(SpoofBounce, BearsHomesAddressToEachNeighbourAndGatewayWithItsToken) {
  House house;
  TestWire wire(house);
  const Method& method = *find_method(MethodId::spoof_bounce);
  std::set<std::pair<IpAddress, int>> seen;
  for (const Target& target : targets_of(method, wire.scope())) {
    SCOPED_TRACE(words_of(target));
    const TestWire::Sent sent = sent_by(wire, method, target);
    const auto frame = read_frame(sent.frame);
    EXPECT_EQ(frame->ip_source, target.destination);
    EXPECT_EQ(frame->ip_destination, target.via);
    const auto found = wire.find_token(token_in(sent));
    ASSERT_TRUE(found);
    EXPECT_EQ(static_cast<std::uint8_t>(found->form), target.variant);
    EXPECT_EQ(found->neighbour, target.via.bytes().back());
    seen.emplace(target.via, target.variant);
  }
  // IPv6's gateway has a link-local address alone, from which no answer can leave.
  std::set<std::pair<IpAddress, int>> expected;
  for (const char* host : {"10.0.1.1", "10.0.1.50", "10.0.1.60", "2001:db8:1::50"}) {
    for (const int form : {0, 1, 2})
      expected.emplace(address(host), form);
  }
  EXPECT_EQ(seen, expected);
}

TEST(SpoofTtl, HasOneHopToLiveTowardAnAddressBesideHome) {
  House house;
  TestWire wire(house);
  const Method& method = *find_method(MethodId::spoof_ttl);
  std::set<MacAddress> through;
  for (const Target& target : targets_of(method, wire.scope())) {
    SCOPED_TRACE(words_of(target));
    const TestWire::Sent sent = sent_by(wire, method, target);
    const auto frame = read_frame(sent.frame);
    EXPECT_EQ(frame->ttl, 1);
    EXPECT_EQ(frame->ip_source, target.destination);
    EXPECT_EQ(frame->ip_destination,
              target.destination.is_v4() ? address("203.0.113.11") : address("2001:db8:ffff::11"));
    const auto found = wire.find_token(token_in(sent));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->form, BounceForm::time_exceeded);
    EXPECT_EQ(found->neighbour, target.via.bytes().back());
    through.insert(sent.to());
  }
  EXPECT_THAT(through, UnorderedElementsAre(kGateway, kNeighbour, kPrinter));
}

TEST(SpoofTtl, TakesNoNetworksFirstOrLastAddress) {
  for (const auto& [home, beside] :
       {std::pair("203.0.113.254", "203.0.113.252"), std::pair("203.0.113.1", "203.0.113.3")}) {
    House house(true, false);
    house.config.home.addresses = {address(home)};
    TestWire wire(house);
    const Method& method = *find_method(MethodId::spoof_ttl);
    const TestWire::Sent sent = sent_by(wire, method, method.target(wire.scope(), 0));
    EXPECT_EQ(read_frame(sent.frame)->ip_destination, address(beside));
  }
}

TEST(SpoofMethods, NeedNoAddressOfTheirOwn) {
  House house;
  for (const char* own : {"10.0.1.9", "2001:db8:1::9", "fe80::9"})
    house.segment.remove_own(address(own));
  TestWire wire(house);
  for (const MethodId id : {MethodId::spoof_bounce, MethodId::spoof_ttl, MethodId::spoof_inside}) {
    const Method& method = *find_method(id);
    ASSERT_GT(method.count(wire.scope()).count, 0U) << to_string(id);
    sent_by(wire, method, method.target(wire.scope(), 0));
  }
}

TEST(SpoofInside, BorrowsTheAddressesOfOthersButOfNoGateway) {
  House house;
  TestWire wire(house);
  const Method& method = *find_method(MethodId::spoof_inside);
  std::set<IpAddress> sources;
  for (const Target& target : targets_of(method, wire.scope())) {
    const TestWire::Sent sent = sent_by(wire, method, target);
    const auto frame = read_frame(sent.frame);
    EXPECT_EQ(frame->ip_destination, target.destination);
    EXPECT_EQ(frame->ip_source.bytes().back(), target.variant);
    sources.insert(frame->ip_source);
  }
  EXPECT_THAT(sources, UnorderedElementsAre(address("10.0.1.50"), address("10.0.1.60"),
                                            address("2001:db8:1::50")));
}

TEST(SpoofInside, TakesFewOfManyHosts) {
  House house(true, false);
  for (int host = 100; host < 200; ++host) {
    house.add_neighbour("10.0.1." + std::to_string(host),
                        "02:00:00:00:02:" + std::to_string(host - 100 + (host < 110 ? 20 : 0)));
  }
  std::set<std::uint8_t> hosts;
  for (const Target& target : targets_of(*find_method(MethodId::spoof_inside), house.scope()))
    hosts.insert(target.variant);
  EXPECT_EQ(hosts.size(), 4U);
}

TEST(FragmentMethod, NeverSendsTheFirst) {
  House house;
  TestWire wire(house, CycleKind::long_cycle);
  const Method& method = *find_method(MethodId::fragment);
  const std::vector<Target> targets = targets_of(method, wire.scope());
  EXPECT_EQ(targets.size(), 10U);
  for (const Target& target : targets) {
    const TestWire::Sent sent = sent_by(wire, method, target);
    EXPECT_EQ(read_frame(sent.frame)->fragment, kLaterFragment) << words_of(target);
    if (!target.destination.is_v4()) continue;
    const std::uint16_t word = parse_be16(sent.packet().data() + 6);
    if ((word & 0x2000) != 0) {
      EXPECT_EQ(sent.packet().size() % 8, 4U);  // 20 + n × 8
    }
  }
}

TEST(SourceRoute, NamesHomeAsTheNextHopOfEachNeighbour) {
  House house;
  TestWire wire(house);
  const Method& method = *find_method(MethodId::source_route);
  int loose = 0, strict = 0, header = 0;
  for (const Target& target : targets_of(method, wire.scope())) {
    const TestWire::Sent sent = sent_by(wire, method, target);
    const auto frame = read_frame(sent.frame);
    const ByteView packet = sent.packet();
    EXPECT_EQ(frame->ip_destination, target.via);
    EXPECT_EQ(traits_shown(house, sent.frame) & kSourceRouted, kSourceRouted);
    if (target.destination.is_v4()) {
      loose += packet[21] == 131;
      strict += packet[21] == 137;
      EXPECT_EQ(IpAddress::v4_bytes(packet.data() + 24), target.destination);
    } else {
      ++header;
      EXPECT_EQ(packet[6], 43);
      EXPECT_EQ(packet[43], 1);  // segments left
      EXPECT_EQ(IpAddress::v6_bytes(packet.data() + 48), target.destination);
    }
  }
  EXPECT_EQ(loose, 3);
  EXPECT_EQ(strict, 3);
  EXPECT_EQ(header, 1);
}

TEST(Ipv6Forms, PutUdpBehindExtensionHeadersAndIpv6IntoIpv4) {
  House house;
  TestWire wire(house);
  const Method& method = *find_method(MethodId::ipv6_forms);
  std::vector<int> next_headers;
  for (const Target& target : targets_of(method, wire.scope())) {
    const TestWire::Sent sent = sent_by(wire, method, target);
    const ByteView packet = sent.packet();
    next_headers.push_back(packet[target.destination.is_v4() ? 9 : 6]);
    const auto frame = read_frame(sent.frame);
    if (!target.destination.is_v4()) {
      EXPECT_EQ(frame->protocol, kProtocolUdp);
      EXPECT_EQ(frame->destination_port, 443);
    }
  }
  EXPECT_THAT(next_headers, ElementsAre(0, 60, 51, 41, 17));
}

TEST(Ipv6Forms, TryEveryRouterThatAdvertisesItselfButTheUsualOne) {
  House house;
  house.config.profile = Profile::ot;
  house.add_router("fe80::66", "02:00:00:00:00:66");
  TestWire wire(house);
  const Method& method = *find_method(MethodId::ipv6_forms);
  std::vector<std::uint8_t> variants;
  for (const Target& target : targets_of(method, wire.scope())) {
    if (target.via.is_unspecified()) continue;
    EXPECT_EQ(target.via, address("fe80::66"));
    EXPECT_EQ(sent_by(wire, method, target).to(), mac_address("02:00:00:00:00:66"));
    variants.push_back(target.variant);
  }
  EXPECT_THAT(variants, ElementsAre(5, 6));
}

TEST(Nat64, WritesHomesAddressBehindEachPrefixAsRfc6052Says) {
  House house(false, true);
  house.config.home.addresses = {address("203.0.113.10")};
  std::set<std::string> homes;
  for (const Target& target : targets_of(*find_method(MethodId::nat64), house.scope()))
    homes.insert(target.destination.to_string());
  EXPECT_THAT(homes, UnorderedElementsAre("64:ff9b::cb00:710a", "64:ff9b:1::cb00:710a",
                                          "64:ff9b:1:cb00:71:a00::"));
}

}  // namespace
}  // namespace beaconry
