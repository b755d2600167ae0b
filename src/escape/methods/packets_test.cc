#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "escape/frame_traits.h"
#include "escape/methods/test_packets.h"
#include "escape/stack/frame.h"

// What holds for each of the methods that send one packet a try.
namespace beaconry {
namespace {

using test::address;
using test::House;
using test::kGateway;
using test::sent_by;
using test::targets_of;
using test::TestWire;
using test::traits_shown;
using test::words_of;
using testing::IsEmpty;

constexpr MethodId kPacketMethods[] = {MethodId::udp_port,
                                       MethodId::tcp_syn,
                                       MethodId::tcp_rst,
                                       MethodId::tcp_ack,
                                       MethodId::icmp,
                                       MethodId::icmpv6,
                                       MethodId::ip_proto,
                                       MethodId::udp_lite,
                                       MethodId::neighbour_gateway,
                                       MethodId::ethernet_broadcast,
                                       MethodId::vlan_double_tag,
                                       MethodId::spoof_bounce,
                                       MethodId::spoof_ttl,
                                       MethodId::spoof_inside,
                                       MethodId::fragment,
                                       MethodId::source_route,
                                       MethodId::ipv6_forms,
                                       MethodId::nat64};

std::string name_of(const testing::TestParamInfo<MethodId>& info) {
  std::string name(to_string(info.param));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class PacketMethod : public testing::TestWithParam<MethodId> {
 protected:
  const Method& method() const { return *find_method(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Each, PacketMethod, testing::ValuesIn(kPacketMethods), name_of);

TEST_P(PacketMethod, IsDescribedInOneLine) {
  EXPECT_EQ(method().id, GetParam());
  for (const std::string_view words : {method().words, method().danger}) {
    EXPECT_GT(words.size(), 10U);
    EXPECT_EQ(words.find('\n'), std::string_view::npos);
  }
}

TEST_P(PacketMethod, SendsOneFrameATryThatHomeReads) {
  House house;
  house.add_router("fe80::66", "02:00:00:00:00:66");
  TestWire wire(house);
  const std::vector<Target> targets = targets_of(method(), wire.scope());
  ASSERT_THAT(targets, testing::Not(IsEmpty()));
  for (const Target& target : targets) {
    SCOPED_TRACE(words_of(target));
    const TestWire::Sent sent = sent_by(wire, method(), target);
    const auto frame = read_frame(sent.frame);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->kind, Frame::Kind::ip);
    EXPECT_EQ(frame->source, test::kTestMac);
    EXPECT_NE(frame->destination, MacAddress{});
    EXPECT_LE(sent.frame.size(), 1514U);
    // A SYN's answer brings no data back: a token stands for the ping.
    if (GetParam() == MethodId::spoof_bounce &&
        target.variant == static_cast<std::uint8_t>(BounceForm::syn)) {
      continue;
    }
    const auto ping = wire.open(sent.frame);
    ASSERT_TRUE(ping);
    EXPECT_EQ(*ping, wire.ping_of_current());
    EXPECT_EQ(ping->method, GetParam());
    EXPECT_EQ(ping->destination, target.destination);
    EXPECT_EQ(ping->via, target.via);
    EXPECT_EQ(ping->variant, target.variant);
  }
}

TEST_P(PacketMethod, ShowsNoTraitThatItDoesNotDeclare) {
  House house;
  house.config.profile = Profile::office;
  TestWire wire(house);
  for (const Target& target : targets_of(method(), wire.scope())) {
    SCOPED_TRACE(words_of(target));
    const TestWire::Sent sent = sent_by(wire, method(), target);
    EXPECT_EQ(trait_word(traits_shown(house, sent.frame) & ~method().traits), "");
  }
}

TEST_P(PacketMethod, GoesToTheUsualGatewayUnlessItSaysVia) {
  House house;
  TestWire wire(house);
  for (const Target& target : targets_of(method(), wire.scope())) {
    SCOPED_TRACE(words_of(target));
    const TestWire::Sent sent = sent_by(wire, method(), target);
    if (!target.via.is_unspecified()) {
      EXPECT_EQ(sent.way, TestWire::Way::via);
      EXPECT_EQ(sent.via, target.via);
      EXPECT_EQ(sent.to(), house.segment.mac_of(target.via));
    } else if (GetParam() != MethodId::ethernet_broadcast) {
      EXPECT_EQ(sent.to(), kGateway);
    }
  }
}

TEST_P(PacketMethod, PlansNothingForAFamilyThatHomeOrWeHaveNot) {
  for (const bool v4 : {true, false}) {
    House without_home;  // we have both, home has one
    std::erase_if(without_home.config.home.addresses,
                  [&](const IpAddress& home) { return home.is_v4() != v4; });
    for (const Target& target : targets_of(method(), without_home.scope())) {
      const bool translated = GetParam() == MethodId::nat64;
      EXPECT_EQ(target.destination.is_v4(), v4 && !translated) << words_of(target);
    }
    House without_own(v4, !v4);  // home has both, our segment one
    without_own.config.home.addresses = {address("203.0.113.10"), address("2001:db8:ffff::10")};
    TestWire wire(without_own);
    for (const Target& target : targets_of(method(), without_own.scope()))
      EXPECT_EQ(target.destination.is_v4(), v4) << words_of(target);
  }
  House nobody(false, false);
  const TargetCount none = method().count(nobody.scope());
  EXPECT_EQ(none.count, 0U);
  EXPECT_NE(none.why_none, "");
}

TEST_P(PacketMethod, SendsNothingForATargetThatIsGone) {
  House house(false, false);
  TestWire wire(house);
  EXPECT_EQ(method().target(wire.scope(), 7).destination, IpAddress{});
  wire.run(method(), method().target(wire.scope(), 7));
  EXPECT_THAT(wire.sent(), IsEmpty());
}

TEST_P(PacketMethod, SendsOnlyToNeighboursThatTheProfileAllows) {
  House house;
  house.config.profile = Profile::ot;
  house.config.neighbours = {address("10.0.1.60")};
  const std::set<IpAddress> allowed{IpAddress{}, address("10.0.1.1"), address("fe80::1"),
                                    address("10.0.1.60")};
  for (const CycleKind cycle : {CycleKind::short_cycle, CycleKind::long_cycle}) {
    const Scope scope = house.scope(cycle);
    const std::uint64_t count = method().count(scope).count;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, 2000); ++i)
      EXPECT_TRUE(allowed.contains(method().target(scope, i).via));
  }
}

RC_GTEST_PROP(PacketMethods, EveryIndexBelowTheCountHasATargetOfItsOwnInTheScope, ()) {
  House house(*rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>());
  const auto hosts =
      *rc::gen::container<std::set<std::uint8_t>>(rc::gen::inRange<std::uint8_t>(100, 200));
  for (const std::uint8_t host : hosts) {
    const std::string mac = "02:00:00:00:01:" + to_hex(std::vector<std::uint8_t>{host});
    house.add_neighbour("10.0.1." + std::to_string(host), mac);
  }
  house.config.profile = *rc::gen::element(Profile::ot, Profile::office, Profile::lab);
  const Scope scope = house.scope(*rc::gen::element(CycleKind::short_cycle, CycleKind::long_cycle));
  const Method& method = *find_method(*rc::gen::elementOf(
      std::vector<MethodId>(std::begin(kPacketMethods), std::end(kPacketMethods))));
  const std::uint64_t count = method.count(scope).count;
  if (count == 0) {
    RC_ASSERT(!method.count(scope).why_none.empty());
    return;
  }
  const auto a = *rc::gen::inRange<std::uint64_t>(0, count);
  const auto b = *rc::gen::inRange<std::uint64_t>(0, count);
  const Target one = method.target(scope, a), other = method.target(scope, b);
  RC_ASSERT(!one.destination.is_unspecified());
  if (!one.via.is_unspecified()) {
    const auto& gateways = scope.segment.gateways();
    const auto allowed = scope.allowed_neighbours();
    RC_ASSERT(std::count(gateways.begin(), gateways.end(), one.via) +
                  std::count_if(allowed.begin(), allowed.end(),
                                [&](const auto& n) { return n.address == one.via; }) ==
              1);
  }
  const bool same = one.destination == other.destination && one.port == other.port &&
                    one.variant == other.variant && one.via == other.via;
  RC_ASSERT(same == (a == b));
}

}  // namespace
}  // namespace beaconry
