#include "home/stream.h"

#include <gtest/gtest.h>

#include "home/test_desk.h"
#include "packet/test_messages.h"

namespace beaconry {
namespace {

Observation where() {
  Observation seen;
  seen.source = *IpAddress::parse("198.51.100.5");
  seen.destination = *IpAddress::parse("203.0.113.10");
  seen.destination_port = 443;
  seen.protocol = 6;
  return seen;
}

TEST(VisitStream, AnswersEachPingAsItComes) {
  TestDesk desk;
  VisitStream stream(where());
  Bytes out;
  const Bytes first = desk.sealed(1), last = desk.sealed(1, Leg::confirmed);
  EXPECT_TRUE(stream.take(ByteView(first).first(50), desk, out));
  EXPECT_TRUE(out.empty() && desk.seen.empty());
  EXPECT_TRUE(stream.take(ByteView(first).subspan(50), desk, out));
  ASSERT_EQ(desk.seen.size(), 1U);
  const auto reply = open_sealed(out, desk.key);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->leg, Leg::reply);
  out.clear();
  EXPECT_TRUE(stream.take(last, desk, out));
  EXPECT_TRUE(out.empty());
  ASSERT_EQ(desk.seen.size(), 2U);
  EXPECT_EQ(desk.seen[1].ping.leg, Leg::confirmed);
  EXPECT_EQ(desk.seen[1].receiver, "tcp");
  EXPECT_EQ(desk.seen[1].source, where().source);
}

TEST(VisitStream, TakesPingsThatComeTogether) {
  TestDesk desk;
  VisitStream stream(where());
  Bytes both = desk.sealed(1), out;
  const Bytes second = desk.sealed(2);
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_TRUE(stream.take(both, desk, out));
  EXPECT_EQ(desk.seen.size(), 2U);
}

TEST(VisitStream, AnswersAHelloOnceAndIsOver) {
  TestDesk desk;
  VisitStream stream(where());
  Bytes out;
  const std::string name = *ping_name(desk.sealed(1), "z.example.net");
  EXPECT_FALSE(stream.take(test_messages::client_hello(name), desk, out));
  ASSERT_GT(out.size(), 43U);
  EXPECT_EQ(out[5], 2);  // ServerHello
  ASSERT_EQ(desk.seen.size(), 1U);
  EXPECT_EQ(desk.seen[0].carrier, Carrier::server_name);
  EXPECT_EQ(desk.seen[0].receiver, "tls");
}

TEST(VisitStream, SaysNothingToAnUnknownKey) {
  TestDesk desk;
  const auto strange = *SharedKey::make(party(7), party(0).box_public());
  const std::string text = ping_text(seal(sample_ping(), strange));
  for (const std::string& said :
       {"GET /" + text + " HTTP/1.1\r\n\r\n", "hello " + text, std::string(5000, 'x')}) {
    VisitStream stream(where());
    Bytes out;
    stream.take(test_messages::bytes_of(said), desk, out);
    EXPECT_TRUE(out.empty()) << said;
  }
  ASSERT_EQ(desk.seen.size(), 2U);
  EXPECT_EQ(desk.seen[0].authenticity, Authenticity::unknown_key);
}

TEST(VisitStream, IsOverWhereMuchSaysNothing) {
  TestDesk desk;
  VisitStream stream(where());
  Bytes out;
  EXPECT_TRUE(stream.take(Bytes(4000, 'x'), desk, out));
  EXPECT_FALSE(stream.take(Bytes(4000, 'x'), desk, out));
}

}  // namespace
}  // namespace beaconry
