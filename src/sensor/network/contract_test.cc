// Contracts of interfaces that are moved in, and the kernel's chatter.
#include "sensor/network/contract.h"

#include <gmock/gmock.h>
#include <linux/netlink.h>

#include "sensor/network/test_machine.h"

namespace beaconry::test_machine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = InterfaceWish::Kind;

class Moved : public Machine, public testing::WithParamInterface<Kind> {
 protected:
  std::unique_ptr<Wire> inside(const Container& container) {
    return Wire::in(container, "capture");
  }
};

TEST_P(Moved, PassesBothWays) {
  const Container container;
  start(manifest(Direction::both), wish(GetParam(), "eth1"), container);
  const auto own = inside(container);
  Wire segment("wire");
  own->send(1);
  EXPECT_THAT(all_until(segment, 1), ElementsAre(1));
  segment.send(2);
  EXPECT_THAT(all_until(*own, 2), ElementsAre(2));
  EXPECT_TRUE(report().present);
  EXPECT_EQ(report().received, 1U);
  EXPECT_GE(report().sent, 1U);  // and what the container's kernel had to say
}

TEST_P(Moved, DropsWhatAReceiverSendsUnderWhateverAddress) {
  const Container container;
  start(manifest(Direction::receive), wish(GetParam(), "eth1"), container);
  Wire segment("wire");
  const auto own = inside(container);
  own->send_refused(1);
  own->send_refused(2, "\x02\x09\x09\x09\x09\x09");  // somebody else's address
  segment.send(3);
  EXPECT_THAT(all_until(*own, 3), ElementsAre(3));
  EXPECT_THAT(segment.arrived(), IsEmpty());
  EXPECT_EQ(segment.others(), 0U);
  const InterfaceReport seen = report();
  EXPECT_TRUE(seen.present);
  EXPECT_EQ(seen.refused_sent, 2U);
  EXPECT_EQ(seen.sent, 0U);
  EXPECT_EQ(seen.received, 1U);
}

TEST_P(Moved, DropsWhatASenderWouldReceive) {
  const Container container;
  start(manifest(Direction::transmit), wish(GetParam(), "eth1"), container);
  Wire segment("wire");
  const auto own = inside(container);
  segment.send(1);
  own->send(2);
  EXPECT_THAT(all_until(segment, 2), ElementsAre(2));
  // A macvlan's broadcasts are passed on later, by another thread of the kernel.
  EXPECT_TRUE(wait_until([&] { return report().refused_received == 1; }));
  EXPECT_EQ(report().received, 0U);
  EXPECT_EQ(report().sent, 1U);
}

// What has no rules yet is not in the container, or down.
TEST_P(Moved, IsNotThereBeforeItsContractHolds) {
  const Container container;
  const auto nics =
      network_->prepare("recorder_0", manifest(Direction::receive), {wish(GetParam(), "eth1")});
  ASSERT_TRUE(nics);
  EXPECT_THAT(*nics, IsEmpty());
}

TEST_P(Moved, CarriesOnWhereAKilledDaemonWas) {
  const Container container;
  const auto made = manifest(Direction::receive);
  const auto how = wish(GetParam(), "eth1");
  start(made, how, container);
  inside(container)->send_refused(1);
  open({"recorder_0"});
  ASSERT_TRUE(network_->attach("recorder_0", container.process(), made, {how}));
  inside(container)->send_refused(2);
  EXPECT_EQ(report().refused_sent, 2U);
  EXPECT_TRUE(report().present);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Moved, testing::Values(Kind::physical, Kind::macvlan),
                         [](const auto& one) {
                           return one.param == Kind::physical ? "Physical" : "Macvlan";
                         });

class Chatter : public Machine {};

// A container's kernel solicits and reports when its interface comes up, before we can stop it.
TEST_F(Chatter, OfTheKernelIsNoAttemptOfTheInstrument) {
  const Container container;
  const auto made = manifest(Direction::receive);
  const auto how = wish(Kind::bridge, "br0");
  const auto nics = network_->prepare("recorder_0", made, {how});
  ASSERT_TRUE(nics);
  container.take(*nics);
  const auto counts = [] {
    auto filter = *NetlinkSocket::open(NETLINK_NETFILTER);
    return *read_counts(filter, list_tables(filter)->front());
  };
  if (!wait_until([&] { return counts().chatter > 0; })) GTEST_SKIP() << "no IPv6 here";
  EXPECT_EQ(report().refused_sent, 0U);
  ASSERT_TRUE(network_->attach("recorder_0", container.process(), made, {how}));
  EXPECT_TRUE(container.within([] { return !shell("ip -6 addr show dev capture | grep inet6"); }));
  // From now on the same words are the instrument's own.
  std::string solicitation = std::string("\x33\x33\0\0\0\x02\x02\x01\x01\x01\x01\x01\x86\xdd", 14) +
                             std::string("\x60\0\0\0\0\x08\x3a\xff", 8) + std::string(32, '\x02') +
                             std::string("\x85\0\0\0\0\0\0\0", 8);
  EXPECT_TRUE(Wire::in(container, "capture")->send_frame(solicitation));
  EXPECT_EQ(report().refused_sent, 1U);
}

}  // namespace
}  // namespace beaconry::test_machine
