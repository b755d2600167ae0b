#include <gtest/gtest.h>

#include "escape/client_hello.h"
#include "escape/quic_seal.h"
#include "escape/test_wire.h"
#include "packet/quic_initial.h"

namespace beaconry {
namespace {

using namespace test;

const Method& method() {
  return *find_method(MethodId::quic);
}
const Target kTarget{address("203.0.113.10"), 443, 0, {}};

ByteView datagram(const TestWire::Sent& sent) {
  return sent.packet().subspan(20 + 8);
}

TEST(Quic, HasThePingAsServerNameForWhoDecryptsAndAsTokenForWhoDoesNot) {
  const House house;
  TestWire wire(house);
  wire.run(method(), kTarget);
  ASSERT_EQ(wire.sent().size(), 1U);
  EXPECT_EQ(datagram(wire.sent()[0]).size(), kQuicDatagram);
  const auto in_clear = wire.open(datagram(wire.sent()[0]));
  ASSERT_TRUE(in_clear);
  EXPECT_EQ(in_clear->method, MethodId::quic);

  QuicInitialReader reader;
  const FoundName found = reader.add(datagram(wire.sent()[0]));
  ASSERT_EQ(found.status, NameStatus::found);
  const auto named = wire.open(as_bytes(found.name));
  ASSERT_TRUE(named);
  EXPECT_EQ(*named, *in_clear);
}

TEST(Quic, GoesWithoutAServerNameWhereThereIsNoZone) {
  House house;
  house.config.home.zone.clear();
  TestWire wire(house);
  wire.run(method(), kTarget);
  ASSERT_EQ(wire.sent().size(), 1U);
  EXPECT_TRUE(wire.open(datagram(wire.sent()[0])));
  QuicInitialReader reader;
  EXPECT_EQ(reader.add(datagram(wire.sent()[0])).status, NameStatus::absent);
}

TEST(Quic, SaysLegThreeTheSameWayAndLeavesNoConversation) {
  const House house;
  TestWire wire(house);
  wire.run(method(), kTarget, Leg::confirmed);
  EXPECT_EQ(wire.conversation(), nullptr);
  const auto ping = wire.open(datagram(wire.sent().at(0)));
  ASSERT_TRUE(ping);
  EXPECT_EQ(ping->leg, Leg::confirmed);
}

TEST(Quic, TriesMorePortsInTheLongCycleAndSaysWhyItCannot) {
  const House house;
  EXPECT_EQ(method().count(house.scope()).count, 2U);
  EXPECT_GT(method().count(house.scope(CycleKind::long_cycle)).count, 2U);
  EXPECT_FALSE(method().count(House(false, false).scope()).why_none.empty());
}

// The reader is of src/packet, and made with EVP: another hand.
TEST(QuicSeal, ReadsBackWhateverIsInIt) {
  std::uint32_t state = 7;
  const auto random = [&] { return state = state * 1'664'525 + 1; };
  constexpr std::string_view kProtocols[] = {"h3"};
  for (const std::size_t id : {8U, 20U}) {
    for (const std::size_t token : {0U, 92U, 700U}) {
      const Bytes hello = client_hello_message({"a.example.org", kProtocols, {1, 2, 3}}, random);
      const Bytes sealed = seal_quic_initial({Bytes(id, 0x83), {}, Bytes(token, 9), hello});
      EXPECT_GE(sealed.size(), kQuicDatagram);
      EXPECT_LT(sealed.size(), 1'452U) << "what a tunnel's MTU carries";
      QuicInitialReader reader;
      const FoundName found = reader.add(sealed);
      ASSERT_EQ(found.status, NameStatus::found) << id << " " << token;
      EXPECT_EQ(found.name, "a.example.org");
      Bytes changed = sealed;
      changed[changed.size() - 1] ^= 1;
      QuicInitialReader other;
      EXPECT_EQ(other.add(changed).status, NameStatus::other) << "it is authenticated";
    }
  }
}

}  // namespace
}  // namespace beaconry
