#include <gmock/gmock.h>
#include <linux/netlink.h>
#include <sys/resource.h>

#include "sensor/network/test_machine.h"

namespace beaconry::test_machine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = InterfaceWish::Kind;

class Bridge : public Machine {};

TEST_F(Bridge, PassesBothWays) {
  plug_segment();
  const Container container;
  start(manifest(Direction::both), wish(Kind::bridge, "br0"), container);
  const auto inside = Wire::in(container, "capture");
  Wire segment("seg");
  inside->send(1);
  EXPECT_THAT(all_until(segment, 1), ElementsAre(1));
  segment.send(2);
  EXPECT_THAT(all_until(*inside, 2), ElementsAre(2));
  const InterfaceReport seen = report();
  EXPECT_TRUE(seen.present);
  EXPECT_TRUE(seen.carrier);
  EXPECT_EQ(seen.cause, "");
  EXPECT_EQ(seen.refused_sent + seen.refused_received, 0U);
  EXPECT_EQ(seen.received, 1U);
  EXPECT_GE(seen.sent, 1U);  // and what the container's kernel had to say
}

TEST_F(Bridge, DropsAndCountsWhatAReceiveOnlyInstrumentSends) {
  plug_segment();
  const Container container;
  start(manifest(Direction::receive), wish(Kind::bridge, "br0"), container);
  const auto inside = Wire::in(container, "capture");
  Wire segment("seg");
  for (std::uint8_t i = 0; i < 5; ++i)
    inside->send(i);
  segment.send(9);
  EXPECT_THAT(all_until(*inside, 9), ElementsAre(9));
  EXPECT_THAT(segment.arrived(), IsEmpty());
  EXPECT_EQ(segment.others(), 0U);
  const InterfaceReport seen = report();
  EXPECT_EQ(seen.refused_sent, 5U);
  EXPECT_EQ(seen.sent, 0U);
  EXPECT_EQ(seen.received, 1U);
}

TEST_F(Bridge, DropsAndCountsWhatATransmitOnlyInstrumentWouldReceive) {
  plug_segment();
  const Container container;
  start(manifest(Direction::transmit), wish(Kind::bridge, "br0"), container);
  const auto inside = Wire::in(container, "capture");
  Wire segment("seg");
  for (std::uint8_t i = 0; i < 4; ++i)
    segment.send(i);
  inside->send(9);
  EXPECT_THAT(all_until(segment, 9), ElementsAre(9));
  EXPECT_THAT(inside->arrived(), IsEmpty());
  const InterfaceReport seen = report();
  EXPECT_EQ(seen.refused_received, 4U);
  EXPECT_EQ(seen.received, 0U);
  EXPECT_EQ(seen.refused_sent, 0U);
}

TEST_F(Bridge, LetsNothingOutBetweenTheMoveAndTheAttach) {
  plug_segment();
  const Container container;
  const auto made = manifest(Direction::receive);
  const auto nics = network_->prepare("recorder_0", made, {wish(Kind::bridge, "br0")});
  ASSERT_TRUE(nics);
  container.take(*nics);
  Wire segment("seg");
  Wire::in(container, "capture")->send(1);
  EXPECT_EQ(report().refused_sent, 1U);
  EXPECT_THAT(segment.arrived(), IsEmpty());
}

class Mirror : public Machine {};

TEST_F(Mirror, CopiesBothDirectionsExactlyOnce) {
  const Container container;
  start(manifest(Direction::receive), wish(Kind::mirror, "eth1"), container);
  const auto inside = Wire::in(container, "capture");
  Wire outside("wire"), captured("eth1");
  std::vector<int> expected;
  for (std::uint8_t i = 0; i < 20; i = static_cast<std::uint8_t>(i + 2)) {
    outside.send(i);
    captured.send(static_cast<std::uint8_t>(i + 1));
    expected.push_back(i);
    expected.push_back(i + 1);
  }
  outside.send(99);
  expected.push_back(99);
  EXPECT_EQ(all_until(*inside, 99), expected);
  // The traffic itself passes as without the mirror.
  EXPECT_THAT(all_until(captured, 99).size(), 11U);
  EXPECT_THAT(all_until(outside, 19).size(), 10U);
  EXPECT_EQ(report().received, 21U);
}

TEST_F(Mirror, SendsNothing) {
  const Container container;
  start(manifest(Direction::receive), wish(Kind::mirror, "eth1"), container);
  Wire outside("wire"), captured("eth1");
  const auto inside = Wire::in(container, "capture");
  const auto before = report().refused_sent;
  for (std::uint8_t i = 0; i < 3; ++i)
    inside->send(i);
  EXPECT_EQ(report().refused_sent, before + 3);
  EXPECT_THAT(outside.arrived(), IsEmpty());
  EXPECT_THAT(captured.arrived(), IsEmpty());
}

TEST_F(Mirror, RefusesAnInstrumentsOwnInterfaceAndAContractThatSends) {
  const auto made = manifest(Direction::receive);
  const auto loop = network_->prepare("recorder_0", made, {wish(Kind::mirror, "bcy0123456789h")});
  ASSERT_FALSE(loop);
  EXPECT_THAT(loop.error().message(), HasSubstr("loop"));
  for (const Direction contract : {Direction::transmit, Direction::both}) {
    const auto mute =
        network_->prepare("recorder_0", manifest(contract), {wish(Kind::mirror, "eth1")});
    ASSERT_FALSE(mute);
    EXPECT_THAT(mute.error().message(), HasSubstr("can send nothing"));
  }
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(Mirror, HearsWhatIsNotForThisMachineAsLongAsItLasts) {
  const auto is_promiscuous = [] { return (*Links::open()->find("eth1"))->promiscuous; };
  ASSERT_TRUE(shell("ip link set eth1 down"));
  Container container;
  start(manifest(Direction::receive), wish(Kind::mirror, "eth1"), container);
  EXPECT_TRUE(is_promiscuous());
  EXPECT_TRUE(report().carrier);
  open({"recorder_0"});
  EXPECT_TRUE(is_promiscuous());
  open({});
  EXPECT_FALSE(is_promiscuous());
}

TEST_F(Machine, TheLoopbackIsUpAlsoWhereThereIsNoOtherInterface) {
  const Container hermit, guest;
  const auto up = [] { return shell("ip -o link show lo up | grep -q lo"); };
  EXPECT_FALSE(hermit.within(up));
  ASSERT_TRUE(network_->prepare("hermit_0", {}, {}));
  ASSERT_TRUE(network_->attach("hermit_0", hermit.process(), {}, {}));
  EXPECT_TRUE(hermit.within(up));
  EXPECT_FALSE(hermit.within([] { return shell("ip route get 192.0.2.1"); }));
  // One that is tied gets it, too, and one that ended is no fault.
  start(manifest(Direction::receive), wish(Kind::macvlan, "eth1"), guest);
  EXPECT_TRUE(guest.within(up));
  EXPECT_TRUE(network_->attach("ended_0", 0x3fffffff, {}, {}));
}

TEST_F(Machine, AFaultThatIsNoEndIsSaidAlsoOfOneWithoutInterfaces) {
#ifdef __has_feature
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "the sanitizer itself needs files";
#endif
#endif
  const Container hermit;
  ASSERT_TRUE(network_->prepare("hermit_0", {}, {}));
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  bool attached = false;
  // One more file each time, so that every step is once the first that has none.
  for (rlimit few{0, files.rlim_max}; !attached && few.rlim_cur < files.rlim_cur; ++few.rlim_cur) {
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    attached = network_->attach("hermit_0", hermit.process(), {}, {}).has_value();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  }
  ASSERT_TRUE(attached);
  EXPECT_TRUE(hermit.within([] { return shell("ip -o link show lo up | grep -q lo"); }));
}

TEST_F(Machine, ReleaseLeavesNothing) {
  for (const Kind kind : {Kind::bridge, Kind::mirror, Kind::macvlan, Kind::physical}) {
    for (const Direction contract : {Direction::receive, Direction::both}) {
      if (kind == Kind::mirror && contract != Direction::receive) continue;
      Container container;
      start(manifest(contract), wish(kind, kind == Kind::bridge ? "br0" : "eth1"), container);
      EXPECT_EQ(report().cause, "");
      EXPECT_TRUE(report().present);
      container.end();
      network_->release("recorder_0");
      EXPECT_THAT(left(), IsEmpty()) << static_cast<int>(kind);
      EXPECT_TRUE(has_link("eth1"));
      EXPECT_FALSE((*Links::open()->find("eth1"))->promiscuous);
      ASSERT_TRUE(shell("ip link set eth1 up"));
    }
  }
}

TEST_F(Machine, RefusesWhatDoesNotGoTogetherWithTheReason) {
  Manifest administrator = manifest(Direction::receive);
  administrator.capabilities = {"net_raw", "net_admin"};
  const Manifest receiver = manifest(Direction::receive), all = manifest(Direction::both);
  InterfaceWish bad_gateway = wish(Kind::bridge, "br0", "192.0.2.7/24");
  bad_gateway.gateway = "gate";
  InterfaceWish unknown = wish(Kind::bridge, "br0");
  unknown.name = "other";
  ASSERT_TRUE(shell("ip link add owned type veth && ip link set owned master br0"));
  const struct {
    Manifest manifest;
    InterfaceWish wish;
    const char* word;
  } kCases[] = {
      {administrator, wish(Kind::physical, "eth1"), "net_admin"},
      {administrator, wish(Kind::macvlan, "eth1"), "net_admin"},
      {receiver, wish(Kind::bridge, "br0", "dhcp"), "DHCP"},
      {all, wish(Kind::bridge, "br0", "192.0.2.300/24"), "192.0.2.300/24"},
      {all, wish(Kind::bridge, "br0", "192.0.2.7"), "with its prefix"},
      {all, bad_gateway, "gate"},
      {all, unknown, "other"},
      {all, wish(Kind::bridge, "eth1"), "no bridge"},
      {all, wish(Kind::bridge, "a name\"; flush"), "no interface's name"},
      {all, wish(Kind::physical, "lo"), "lo"},
      {all, wish(Kind::physical, "owned"), "nomaster"},
      {all, wish(Kind::physical, "br0"), "bridge:br0"},
      {receiver, wish(Kind::physical, "br0"), "bridge:br0"},
      {receiver, wish(Kind::mirror, "eth7"), "eth7"},
  };
  for (const auto& one : kCases) {
    const auto nics = network_->prepare("recorder_0", one.manifest, {one.wish});
    ASSERT_FALSE(nics) << one.word;
    EXPECT_THAT(nics.error().message(), HasSubstr(one.word));
    EXPECT_THAT(left(), IsEmpty());
  }
  EXPECT_FALSE(network_->prepare("recorder_0", all, {}));
}

TEST_F(Machine, SaysHowToTieItToSomethingElse) {
  for (const char* parent : {"br7", "eth1"}) {  // none, and no bridge
    ASSERT_FALSE(
        network_->prepare("recorder_0", manifest(Direction::both), {wish(Kind::bridge, parent)}));
    EXPECT_THAT(report().cause, HasSubstr(parent));
    EXPECT_THAT(report().fix, HasSubstr("beaconry instrument remove recorder_0"));
  }
}

TEST_F(Machine, APhysicalInterfaceHasOneOwner) {
  const auto made = manifest(Direction::both);
  ASSERT_TRUE(network_->prepare("recorder_0", made, {wish(Kind::physical, "eth1")}));
  const auto second = network_->prepare("recorder_1", made, {wish(Kind::physical, "eth1")});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), HasSubstr("recorder_0"));
  network_->release("recorder_0");
  EXPECT_TRUE(network_->prepare("recorder_1", made, {wish(Kind::physical, "eth1")}));
}

TEST_F(Machine, AnOptionalInterfaceMayBeAbsentAndIsNamedWhenItComes) {
  const auto made = manifest(Direction::receive, true);
  const auto how = wish(Kind::mirror, "eth7");
  const Container container;
  start(made, how, container);
  EXPECT_FALSE(report().present);
  EXPECT_EQ(report().cause, "interface eth7 lost");
  EXPECT_NE(report().fix, "");
  ASSERT_TRUE(shell("ip link add eth7 type veth"));
  EXPECT_TRUE(wait_until([&] { return !restarts_.empty(); }));
  EXPECT_THAT(restarts_, ElementsAre("recorder_0"));
}

TEST_F(Machine, WhatASilentInterfaceSendsPastItsRulesIsTold) {
  for (const Kind kind : {Kind::macvlan, Kind::physical}) {
    Container container;
    start(manifest(Direction::receive), wish(kind, "eth1"), container);
    const auto inside = Wire::in(container, "capture");
    const std::uint64_t before = report().refused_sent;
    inside->send_refused(1);
    EXPECT_EQ(report().refused_sent, before + 1);
    EXPECT_EQ(report().sent_past, 0U);
    ASSERT_TRUE(container.within([] { return shell("nft flush ruleset"); }));
    inside->send(2);
    inside->send(3);
    EXPECT_TRUE(wait_until([&] { return report().sent_past == 2; }));
    EXPECT_EQ(report().refused_sent, before + 3);
    container.end();
    network_->release("recorder_0");
    ASSERT_TRUE(shell("ip link set eth1 up"));
  }
}

TEST_F(Machine, CountsOverRestartsOfInstanceAndDaemon) {
  for (unsigned run = 1; run <= 3; ++run) {
    Container container;
    start(manifest(Direction::receive), wish(Kind::bridge, "br0"), container);
    Wire::in(container, "capture")->send(1);
    EXPECT_EQ(report().refused_sent, run);
    container.end();
    network_->release("recorder_0");
    open({});
  }
  // Another that gets its name later.
  network_->forget("recorder_0");
  Container container;
  start(manifest(Direction::receive), wish(Kind::bridge, "br0"), container);
  EXPECT_EQ(report().refused_sent, 0U);
}

class Way : public Machine {};

TEST_F(Way, ToTheServerIsNoInstruments) {
  network_.reset();
  auto opened =
      Network::open({{}, {}, folder_, now, [] { return std::vector<std::string>{"eth1"}; }}, {});
  ASSERT_TRUE(opened) << opened.error().message();
  network_ = std::move(*opened);
  for (const Kind kind : {Kind::physical, Kind::macvlan}) {
    const auto nics =
        network_->prepare("recorder_0", manifest(Direction::both), {wish(kind, "eth1")});
    ASSERT_FALSE(nics);
    EXPECT_THAT(nics.error().message(), HasSubstr("the sensor's way to its server"));
    EXPECT_TRUE(has_link("eth1"));
    EXPECT_THAT(left(), IsEmpty());
  }
  EXPECT_TRUE(
      network_->prepare("recorder_0", manifest(Direction::receive), {wish(Kind::mirror, "eth1")}));
}

}  // namespace
}  // namespace beaconry::test_machine
