#include <gtest/gtest.h>

#include "escape/byte_writer.h"
#include "escape/client_hello.h"
#include "escape/test_wire.h"
#include "packet/tls_client_hello.h"

namespace beaconry {
namespace {

using namespace test;

const Method& method() {
  return *find_method(MethodId::tls_hello);
}
const Target kTarget{address("203.0.113.10"), 443, 0, {}};

std::string server_name(const Bytes& stream) {
  std::string scratch;
  const FoundName found = tls_client_hello(stream, scratch);
  EXPECT_EQ(found.status, NameStatus::found);
  return std::string(found.name);
}

Bytes server_hello(const ReplyProof& proof) {
  ByteWriter body;
  body.u16(0x0303).bytes(proof).bytes(Bytes(16, 7)).u8(0).u16(0xc02f).u8(0);
  const Bytes message = ByteWriter().u8(2).counted(3, body.view()).take();
  return ByteWriter().u8(22).u16(0x0303).counted(2, message).take();
}

TEST(TlsHello, IsNotTriedWithoutAZone) {
  House house;
  EXPECT_EQ(method().count(house.scope()).count, 4U);
  EXPECT_EQ(method().target(house.scope(), 1).port, 8443);
  house.config.home.zone.clear();
  EXPECT_EQ(method().count(house.scope()).count, 0U);
  EXPECT_NE(method().count(house.scope()).why_none.find("zone"), std::string::npos);
}

TEST(TlsHello, NamesThePingAndReadsHomesProofOutOfTheServersRandom) {
  const House house;
  TestWire wire(house);
  wire.run(method(), kTarget);
  ASSERT_EQ(wire.connections().size(), 1U);
  wire.accept();
  const std::string name = server_name(wire.connections()[0].written);
  EXPECT_NE(name.find(".t.example.org"), std::string::npos);
  const auto ping = wire.open(as_bytes(name));
  ASSERT_TRUE(ping);
  EXPECT_EQ(ping->method, MethodId::tls_hello);

  const Bytes answer = server_hello(wire.home_proof());
  for (const std::uint8_t byte : ByteView(answer).first(43))
    wire.feed(ByteView(&byte, 1));
  EXPECT_TRUE(wire.answered());
  ASSERT_EQ(wire.connections().size(), 2U) << "leg 3 is a second hello";
  EXPECT_TRUE(wire.connections()[0].closed);
  wire.accept();
  const auto third = wire.open(as_bytes(server_name(wire.connections()[1].written)));
  ASSERT_TRUE(third);
  EXPECT_EQ(third->leg, Leg::confirmed);
  EXPECT_TRUE(wire.conversation()->is_done());
}

TEST(TlsHello, AnyOtherServersAnswerProvesNothing) {
  const House house;
  ReplyProof forged{};
  const std::vector<Bytes> answers = {server_hello(forged), Bytes{21, 3, 3, 0, 2, 2, 40},
                                      Bytes(4096, 22), Bytes{'H', 'T', 'T', 'P'}};
  for (const Bytes& answer : answers) {
    TestWire wire(house);
    wire.run(method(), kTarget);
    wire.accept();
    wire.feed(answer);
    EXPECT_FALSE(wire.answered());
    EXPECT_TRUE(wire.conversation()->is_done());
    EXPECT_EQ(wire.connections().size(), 1U);
  }
}

TEST(TlsHello, WaitsForTheRestOfAServerHelloThatWasCut) {
  const House house;
  TestWire wire(house);
  wire.run(method(), kTarget);
  wire.accept();
  const Bytes answer = server_hello(wire.home_proof());
  wire.feed(ByteView(answer).first(42));
  EXPECT_FALSE(wire.answered());
  EXPECT_FALSE(wire.conversation()->is_done());
  wire.hang_up("closed");
  EXPECT_TRUE(wire.conversation()->is_done());
}

// Every length in it ends where the next field begins, as a strict inspector wants.
TEST(ClientHello, IsWellFormedAndOffersBothVersionsAndAKeyShare) {
  std::uint32_t state = 1;
  constexpr std::string_view kProtocols[] = {"h2", "http/1.1"};
  const Bytes stream = client_hello_record({"a.example.org", kProtocols, {}},
                                           [&] { return state = state * 1'664'525 + 1; });
  ByteCursor record(stream);
  EXPECT_EQ(record.u8(), 22);
  EXPECT_EQ(record.u16(), 0x0301);
  ByteCursor message(record.take(record.u16()));
  EXPECT_EQ(record.left(), 0U);
  EXPECT_EQ(message.u8(), 1);
  ByteCursor hello(message.take(message.u24()));
  EXPECT_EQ(message.left(), 0U);
  EXPECT_EQ(hello.u16(), 0x0303);
  hello.take(32);
  EXPECT_EQ(hello.u8(), 32);
  hello.take(32);
  EXPECT_EQ(hello.take(hello.u16()).size(), 30U) << "fifteen cipher suites";
  EXPECT_EQ(hello.take(hello.u8()).size(), 1U);
  ByteCursor extensions(hello.take(hello.u16()));
  EXPECT_EQ(hello.left(), 0U);
  std::vector<int> types;
  while (extensions.left() > 0) {
    types.push_back(extensions.u16());
    ByteCursor body(extensions.take(extensions.u16()));
    if (types.back() == 51) {
      ByteCursor share(body.take(body.u16()));
      EXPECT_EQ(share.u16(), 0x001d);
      EXPECT_EQ(share.take(share.u16()).size(), 32U);
      EXPECT_EQ(share.left(), 0U);
    } else if (types.back() == 43) {
      ByteCursor versions(body.take(body.u8()));
      EXPECT_EQ(versions.u16(), 0x0304);
      EXPECT_EQ(versions.u16(), 0x0303);
    }
    EXPECT_TRUE(extensions.ok() && body.ok());
  }
  EXPECT_EQ(types, (std::vector<int>{0, 23, 0xff01, 11, 10, 16, 13, 51, 45, 43}));
}

}  // namespace
}  // namespace beaconry
