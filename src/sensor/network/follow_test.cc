// Interfaces and rules that vanish and come back, and daemons that are killed.
#include <gmock/gmock.h>

#include "sensor/network/test_machine.h"

namespace beaconry::test_machine {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = InterfaceWish::Kind;

class Follow : public Machine {
 protected:
  void make_eth1() {
    ASSERT_TRUE(
        shell("ip link add eth1 type veth peer name wire && ip link set wire up && "
              "ip link set eth1 up"));
  }
};

TEST_F(Follow, AMirrorGoesOnWhenItsInterfaceIsBack) {
  const Container container;
  start(manifest(Direction::receive), wish(Kind::mirror, "eth1"), container);
  const auto inside = Wire::in(container, "capture");
  inside->send(7);
  ASSERT_TRUE(shell("ip link del eth1"));
  ASSERT_TRUE(wait_until([&] { return !report().present; }));
  EXPECT_EQ(report().cause, "interface eth1 lost");
  EXPECT_THAT(report().evidence, HasSubstr("br0"));
  make_eth1();
  ASSERT_TRUE(wait_until([&] { return report().present; }));
  EXPECT_EQ(report().cause, "");
  Wire("wire").send(1);
  EXPECT_THAT(all_until(*inside, 1), ElementsAre(1));
  EXPECT_EQ(report().refused_sent, 1U);
  EXPECT_THAT(restarts_, IsEmpty());
}

TEST_F(Follow, ABridgeThatIsMadeAgainGetsItsInstruments) {
  const Container container;
  start(manifest(Direction::both), wish(Kind::bridge, "br0"), container);
  ASSERT_TRUE(shell("ip link del br0"));
  ASSERT_TRUE(wait_until([&] { return report().cause == "interface br0 lost"; }));
  ASSERT_TRUE(shell("ip link add br0 type bridge && ip link set br0 up"));
  ASSERT_TRUE(wait_until([&] { return report().present; }));
  plug_segment();
  Wire segment("seg");
  Wire::in(container, "capture")->send(1);
  EXPECT_THAT(all_until(segment, 1), ElementsAre(1));
}

TEST_F(Follow, AnInstrumentWhoseMovedInterfaceIsBackNeedsARestart) {
  for (const Kind kind : {Kind::physical, Kind::macvlan}) {
    Container container;
    start(manifest(Direction::receive), wish(kind, "eth1"), container);
    ASSERT_TRUE(shell("ip link del wire"));  // its other end: the interface goes with it
    ASSERT_TRUE(wait_until([&] { return report().cause == "interface eth1 lost"; }));
    EXPECT_FALSE(report().present);
    restarts_.clear();
    make_eth1();
    ASSERT_TRUE(wait_until([&] { return !restarts_.empty(); }));
    EXPECT_THAT(restarts_, ElementsAre("recorder_0"));
    container.end();
    network_->release("recorder_0");
    const Container next;
    start(manifest(Direction::receive), wish(kind, "eth1"), next);
    EXPECT_EQ(report().cause, "");
    network_->release("recorder_0");
    ASSERT_TRUE(shell("ip link set eth1 up"));
  }
}

// Neither when it is stopped nor when it ends by itself: it would be started once more than needed,
// and without the pause of one that fails.
TEST_F(Follow, WhatAnEndOfItsInstanceTakesAwayIsNoLoss) {
  for (const Kind kind : {Kind::bridge, Kind::mirror, Kind::physical, Kind::macvlan}) {
    for (const Direction contract : {Direction::receive, Direction::both}) {
      if (kind == Kind::mirror && contract != Direction::receive) continue;
      Container container;
      const std::string parent = kind == Kind::bridge ? "br0" : "eth1";
      start(manifest(contract), wish(kind, parent), container);
      // LXD gives back what it had moved in, once the process is gone.
      const NameSpace held = *NameSpace::of_process(container.process());
      const NameSpace own = *NameSpace::own();
      container.end();
      ASSERT_TRUE(held.within([&]() -> Result<void> {
        auto links = *Links::open();
        const auto link = links.find("capture");
        if (!link || !*link) return {};
        (void)links.set_up((*link)->index, false);
        return links.move((*link)->index, own.descriptor(),
                          kind == Kind::physical ? "eth1" : "given");
      }));
      int rounds = 0;
      ASSERT_TRUE(wait_until([&] { return ++rounds > 3; }));
      network_->release("recorder_0");
      rounds = 0;
      ASSERT_TRUE(wait_until([&] { return ++rounds > 3; }));
      EXPECT_THAT(restarts_, IsEmpty()) << parent;
      EXPECT_EQ(report().cause, "");
      (void)shell("ip link del given");
      ASSERT_TRUE(shell("ip link set eth1 up"));
    }
  }
}

// Two interfaces, the second of which is not there: what was made of the first goes again.
TEST_F(Follow, AStartThatFailsIsNotNamedBeforeItsInterfaceComes) {
  Manifest made = manifest(Direction::both);
  made.interfaces.push_back({"other", Direction::both, false, ""});
  InterfaceWish other = wish(Kind::bridge, "br7");
  other.name = "other";
  ASSERT_FALSE(network_->prepare("recorder_0", made, {wish(Kind::bridge, "br0"), other}));
  int rounds = 0;
  ASSERT_TRUE(wait_until([&] { return ++rounds > 3; }));
  EXPECT_THAT(restarts_, IsEmpty());
  ASSERT_TRUE(shell("ip link add br7 type bridge"));
  ASSERT_TRUE(wait_until([&] { return !restarts_.empty(); }));
  EXPECT_THAT(restarts_, ElementsAre("recorder_0"));
}

TEST_F(Follow, AnInstanceThatCouldNotStartIsNamedWhenItsInterfaceComes) {
  ASSERT_FALSE(
      network_->prepare("recorder_0", manifest(Direction::both), {wish(Kind::bridge, "br7")}));
  EXPECT_EQ(report().cause, "interface br7 lost");
  ASSERT_TRUE(shell("ip link add br7 type bridge"));
  ASSERT_TRUE(wait_until([&] { return !restarts_.empty(); }));
  EXPECT_THAT(restarts_, ElementsAre("recorder_0"));
}

// `systemctl reload nftables` begins with it.
TEST_F(Follow, AContractHoldsAgainAfterAllRulesWereFlushed) {
  plug_segment();
  const Container container;
  start(manifest(Direction::receive), wish(Kind::bridge, "br0"), container);
  const auto inside = Wire::in(container, "capture");
  inside->send(1);
  EXPECT_EQ(report().refused_sent, 1U);
  const auto tables = left();
  ASSERT_TRUE(shell("nft flush ruleset"));
  ASSERT_TRUE(wait_until([&] { return left() == tables; }));
  Wire segment("seg");
  inside->send(2);
  EXPECT_EQ(report().refused_sent, 2U);
  EXPECT_THAT(segment.arrived(), IsEmpty());
}

TEST_F(Follow, ASuccessorTakesOverWhatRunsAndRemovesTheRest) {
  const Container first, second;
  const auto made = manifest(Direction::receive);
  const auto how = wish(Kind::mirror, "eth1");
  start(made, how, first);
  const auto kept = left();
  const auto nics = network_->prepare("recorder_1", made, {how});
  ASSERT_TRUE(nics);
  second.take(*nics);
  EXPECT_GT(left().size(), kept.size());
  Wire::in(first, "capture")->send(1);

  open({"recorder_0"});
  EXPECT_EQ(left(), kept);
  ASSERT_TRUE(network_->attach("recorder_0", first.process(), made, {how}));
  const auto inside = Wire::in(first, "capture");
  inside->send(2);
  Wire("wire").send(3);
  EXPECT_THAT(all_until(*inside, 3), ElementsAre(3));
  EXPECT_EQ(report().refused_sent, 2U);
  // An instance that stops before it was attached again leaves nothing either.
  open({"recorder_0"});
  network_->release("recorder_0");
  EXPECT_THAT(left(), IsEmpty());
}

// The kernel gives hardware back under the name that it had in the container, with no daemon there.
TEST_F(Follow, APhysicalInterfaceThatCameBackByItselfGetsItsName) {
  const auto strand = [] {
    return shell(
        "ip link set eth1 down && ip link set eth1 name capture && "
        "ip link set capture alias beaconry:recorder_0:capture:eth1 arp off");
  };
  ASSERT_TRUE(strand());
  ASSERT_TRUE(wait_until([] { return has_link("eth1"); }));  // seen by a daemon that runs
  ASSERT_TRUE(strand());
  open({});  // and by one that starts
  EXPECT_TRUE(has_link("eth1"));
  EXPECT_THAT(left(), IsEmpty());
}

}  // namespace
}  // namespace beaconry::test_machine
