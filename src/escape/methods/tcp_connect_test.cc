#include <gtest/gtest.h>

#include "escape/test_wire.h"

namespace beaconry {
namespace {

using namespace test;

const Method& method() {
  return *find_method(MethodId::tcp_connect);
}
const Target kTarget{address("203.0.113.10"), 443, 0, {}};

TEST(TcpConnect, TriesCommonPortsInTheShortCycleAndAllInTheLongOneOfBothFamilies) {
  House house;
  house.config.ports = {22, 443};
  const Scope brief = house.scope(), whole = house.scope(CycleKind::long_cycle);
  ASSERT_EQ(method().count(brief).count, 4U);
  EXPECT_EQ(method().target(brief, 0).destination, address("203.0.113.10"));
  EXPECT_EQ(method().target(brief, 1).port, 443);
  EXPECT_EQ(method().target(brief, 2).destination, address("2001:db8:ffff::10"));
  ASSERT_EQ(method().count(whole).count, 2U * 65'535U);
  EXPECT_EQ(method().target(whole, 65'534).port, 65'535);
  EXPECT_EQ(method().target(whole, 65'535).port, 1);
}

TEST(TcpConnect, SaysWhyThereIsNothingToConnectTo) {
  const House house(false, false);
  EXPECT_EQ(method().count(house.scope()).why_none, "no address of ours in home's family");
}

TEST(TcpConnect, SendsThePingAndThenLegThreeOnTheSameConnection) {
  const House house;
  TestWire wire(house);
  wire.run(method(), kTarget);
  ASSERT_EQ(wire.connections().size(), 1U);
  EXPECT_EQ(wire.connections()[0].destination, kTarget.destination);
  EXPECT_EQ(wire.connections()[0].port, 443);
  wire.accept();
  const auto first = wire.open(wire.connections()[0].written);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->leg, Leg::outbound);
  const std::size_t sent = wire.connections()[0].written.size();

  const Bytes reply = wire.home_reply();
  wire.feed(ByteView(reply).first(20));
  EXPECT_FALSE(wire.answered()) << "half an answer is none";
  wire.feed(ByteView(reply).subspan(20));
  EXPECT_TRUE(wire.answered());
  const auto third = wire.open(ByteView(wire.connections()[0].written).subspan(sent));
  ASSERT_TRUE(third);
  EXPECT_EQ(third->leg, Leg::confirmed);
  EXPECT_TRUE(wire.connections()[0].closed);
  EXPECT_TRUE(wire.conversation()->is_done());
}

TEST(TcpConnect, FindsTheAnswerBehindWhatATransparentProxySays) {
  const House house;
  TestWire wire(house);
  wire.run(method(), kTarget);
  wire.accept();
  wire.feed(as_bytes("220 welcome\r\n"));
  wire.feed(wire.connections()[0].written);  // an echo of what we said
  EXPECT_FALSE(wire.answered());
  wire.feed(wire.home_reply());
  EXPECT_TRUE(wire.answered());
}

TEST(TcpConnect, BelievesNothingThatIsNotHomesAnswer) {
  const House house;
  TestWire wire(house);
  wire.run(method(), kTarget);
  wire.accept();
  Bytes forged = wire.home_reply();
  forged.back() ^= 1;
  const std::size_t written = wire.connections()[0].written.size();
  wire.feed(forged);
  wire.feed(as_bytes("HTTP/1.1 200 OK\r\n\r\nhello"));
  EXPECT_FALSE(wire.answered());
  EXPECT_EQ(wire.connections()[0].written.size(), written);
  wire.hang_up("reset");
  EXPECT_TRUE(wire.conversation()->is_done());
}

TEST(TcpConnect, HangsUpOnAPeerThatNeverStopsTalking) {
  const House house;
  TestWire wire(house);
  wire.run(method(), kTarget);
  wire.accept();
  const Bytes noise(64 * 1024, 0x31);
  for (int i = 0; i < 10 && !wire.conversation()->is_done(); ++i)
    wire.feed(noise);
  EXPECT_TRUE(wire.conversation()->is_done());
  EXPECT_TRUE(wire.connections()[0].closed);
  EXPECT_FALSE(wire.answered());
}

TEST(TcpConnect, EndsWhenNobodyAnswers) {
  const House house;
  TestWire wire(house);
  wire.run(method(), kTarget);
  wire.time_out();
  EXPECT_TRUE(wire.conversation()->is_done());
  EXPECT_TRUE(wire.connections()[0].closed);
}

}  // namespace
}  // namespace beaconry
