#include <gtest/gtest.h>

#include "escape/byte_writer.h"
#include "escape/dns_query.h"
#include "escape/test_wire.h"
#include "packet/dns_message.h"

namespace beaconry {
namespace {

using namespace test;

const Method& dns() {
  return *find_method(MethodId::dns);
}
const Method& dns_broadcast() {
  return *find_method(MethodId::dns_broadcast);
}

const IpAddress kResolver = address("10.0.1.1"), kHome = address("203.0.113.10");
Target ask(std::uint8_t type) {
  return {kHome, 53, type, kResolver};
}

ByteView udp_payload(const TestWire::Sent& sent) {
  const ByteView packet = sent.packet();
  return packet.subspan((packet[0] >> 4 == 4 ? 20 : 40) + 8);
}

// A name server's end of the talk.
struct Server {
  Bytes query;
  DnsMessage parsed;

  explicit Server(ByteView question) : query(question.begin(), question.end()) {
    EXPECT_TRUE(parsed.parse(query));
    EXPECT_FALSE(parsed.is_response());
  }
  std::string name() const { return std::string(parsed.question()); }

  struct Wrong {
    std::uint16_t id = 0;     // xored
    std::uint16_t flags = 0;  // or-ed
    std::uint16_t type = 0;   // xored
    bool name = false;
  };
  // One record that answers the question.
  Bytes answer(std::uint16_t type, ByteView data, Wrong wrong) const {
    ByteWriter out;
    out.u16(parse_be16(query.data()) ^ wrong.id).u16(0x8180 | wrong.flags);
    out.u16(1).u16(data.empty() ? 0 : 1).u16(0).u16(0);
    put_dns_name(out, wrong.name ? "www.example.org" : name());
    out.u16(parsed.question_type() ^ wrong.type).u16(1);
    if (!data.empty()) out.u16(0xc00c).u16(type).u16(1).u32(0).counted(2, data);
    return out.take();
  }
  Bytes answer(std::uint16_t type, ByteView data) const { return answer(type, data, Wrong()); }
};

Bytes text_record(const std::string& text) {
  return ByteWriter().counted(1, as_bytes(text)).take();
}

Bytes cname_record(ByteView sealed) {
  ByteWriter out;
  put_dns_name(out, ping_name(sealed, "t.example.org").value());
  return out.take();
}

TEST(Dns, AsksEveryResolverAndGatewayAndHomeItselfByFourTypes) {
  House house(true, false);
  house.segment.add_resolver(address("10.0.1.53"));
  const Scope scope = house.scope();
  ASSERT_EQ(dns().count(scope).count, 12U);
  EXPECT_EQ(dns().target(scope, 0).via, address("10.0.1.53"));
  EXPECT_EQ(dns().target(scope, 0).variant, kDnsTxt);
  EXPECT_EQ(dns().target(scope, 4).via, kResolver) << "a gateway often resolves as well";
  EXPECT_EQ(dns().target(scope, 8).destination, kHome);
  EXPECT_TRUE(dns().target(scope, 8).via.is_unspecified());
}

TEST(Dns, IsNotTriedWithoutAZoneOrWithOneThatLeavesNoRoom) {
  House house;
  house.config.home.zone.clear();
  EXPECT_NE(dns().count(house.scope()).why_none.find("zone"), std::string::npos);
  EXPECT_EQ(dns().count(house.scope()).count, 0U);
  house.config.home.zone = std::string(40, 'z') + ".example";
  EXPECT_EQ(dns_broadcast().count(house.scope()).count, 0U);
}

TEST(Dns, TheLongestPingFitsTheLongestZoneThatIsTaken) {
  House house;
  house.config.home.zone = std::string(36, 'z') + ".example";
  ASSERT_EQ(house.config.home.zone.size(), 44U);
  ASSERT_GT(dns().count(house.scope()).count, 0U);
  TestWire wire(house);
  wire.run(dns(), {address("2001:db8:ffff::10"), 53, kDnsTxt, address("2001:db8:1::50")});
  EXPECT_EQ(wire.sent().size(), 1U);
}

TEST(Dns, EachTryAsksForANewNameWithANewIdFromANewPort) {
  const House house;
  TestWire wire(house);
  wire.run(dns(), ask(kDnsTxt));
  wire.run(dns(), ask(kDnsTxt));
  ASSERT_EQ(wire.sent().size(), 2U);
  const Server first(udp_payload(wire.sent()[0])), second(udp_payload(wire.sent()[1]));
  EXPECT_NE(first.name(), second.name());
  EXPECT_NE(parse_be16(first.query.data()), parse_be16(second.query.data()));
  EXPECT_NE(wire.claimed()[0], wire.claimed()[1]);
  EXPECT_NE(first.name().find(".t.example.org"), std::string::npos);
  const auto ping = wire.open(as_bytes(first.name()));
  ASSERT_TRUE(ping);
  EXPECT_EQ(ping->via, kResolver);
  EXPECT_EQ(ping->method, MethodId::dns);
}

// What home answers, by the question's type; take_dns_reply() reads it.
Bytes home_answers(const TestWire& wire, const Server& server) {
  const Bytes reply = wire.home_reply();
  switch (server.parsed.question_type()) {
    case kDnsTxt:
      return server.answer(kDnsTxt, text_record(ping_text(reply)));
    case kDnsCname:
      return server.answer(kDnsCname, cname_record(reply));
    default:
      return server.answer(kDnsAaaa, wire.home_proof());
  }
}

class DnsByType : public testing::TestWithParam<int> {};

TEST_P(DnsByType, HomesAnswerMakesItTwoWayAndAnotherQuestionSaysSo) {
  const House house;
  TestWire wire(house);
  wire.run(dns(), ask(static_cast<std::uint8_t>(GetParam())));
  const Server server(udp_payload(wire.sent().at(0)));
  EXPECT_EQ(server.parsed.question_type(), GetParam());
  EXPECT_TRUE(wire.arrive_udp(kResolver, 53, address("10.0.1.9"), wire.claimed()[0],
                              home_answers(wire, server)));
  EXPECT_TRUE(wire.answered());
  ASSERT_EQ(wire.sent().size(), 2U);
  const Server third(udp_payload(wire.sent()[1]));
  const auto ping = wire.open(as_bytes(third.name()));
  ASSERT_TRUE(ping);
  EXPECT_EQ(ping->leg, Leg::confirmed);
  EXPECT_EQ(third.parsed.question_type(), GetParam());
  EXPECT_TRUE(wire.conversation()->is_done());
}
INSTANTIATE_TEST_SUITE_P(Types, DnsByType, testing::Values(kDnsTxt, kDnsAaaa, kDnsCname));

TEST(Dns, HostileAnswersChangeNothing) {
  const House house;
  TestWire wire(house);
  wire.run(dns(), ask(kDnsTxt));
  const Server server(udp_payload(wire.sent()[0]));
  const Bytes text = text_record(ping_text(wire.home_reply()));
  const IpAddress ours = address("10.0.1.9");
  const auto arrives = [&](const Bytes& message, std::string_view from = "10.0.1.1",
                           std::uint16_t from_port = 53, int to_port = 0) {
    wire.arrive_udp(address(from), from_port, ours,
                    static_cast<std::uint16_t>(wire.claimed()[0] + to_port), message);
    return wire.answered() || wire.conversation()->is_done();
  };
  EXPECT_FALSE(arrives(server.answer(kDnsTxt, text, {.id = 1}))) << "another id";
  EXPECT_FALSE(arrives(server.answer(kDnsTxt, text, {.name = true}))) << "another question";
  EXPECT_FALSE(arrives(server.answer(kDnsTxt, text, {.type = 1}))) << "another type";
  EXPECT_FALSE(arrives(server.answer(kDnsTxt, text), "10.0.1.77")) << "another server";
  EXPECT_FALSE(arrives(server.answer(kDnsTxt, text), "10.0.1.1", 54)) << "another port";
  EXPECT_FALSE(arrives(server.answer(kDnsTxt, text), "10.0.1.1", 53, 1)) << "not our port";
  EXPECT_FALSE(arrives(server.query)) << "a question";
  EXPECT_FALSE(arrives(Bytes(65'000, 0xc0))) << "noise";
  EXPECT_TRUE(arrives(server.answer(kDnsTxt, text))) << "and the true one still counts";
  EXPECT_TRUE(wire.answered());
}

TEST(Dns, AnAnswerCutAnywhereIsNoneAndHurtsNobody) {
  const House house;
  for (std::size_t cut = 0;; ++cut) {
    TestWire wire(house);
    wire.run(dns(), ask(kDnsTxt));
    const Server server(udp_payload(wire.sent()[0]));
    Bytes answer = home_answers(wire, server);
    if (cut == answer.size()) break;
    answer.resize(cut);
    wire.arrive_udp(kResolver, 53, address("10.0.1.9"), wire.claimed()[0], answer);
    EXPECT_FALSE(wire.answered()) << cut;
  }
}

TEST(Dns, AForgedProofOrReplyIsNoAnswer) {
  const House house;
  TestWire wire(house);
  wire.run(dns(), ask(kDnsAaaa));
  const Server server(udp_payload(wire.sent()[0]));
  ReplyProof proof = wire.home_proof();
  proof[3] ^= 1;
  EXPECT_TRUE(wire.arrive_udp(kResolver, 53, address("10.0.1.9"), wire.claimed()[0],
                              server.answer(kDnsAaaa, proof)));
  EXPECT_FALSE(wire.answered());
  EXPECT_TRUE(wire.conversation()->is_done()) << "one server gives one answer";
  EXPECT_EQ(wire.sent().size(), 1U);
}

TEST(Dns, AsksByTcpWhereTheAnswerWasCutShort) {
  const House house;
  TestWire wire(house);
  wire.run(dns(), ask(kDnsTxt));
  const Server server(udp_payload(wire.sent()[0]));
  Server::Wrong truncated;
  truncated.flags = 0x0200;
  wire.arrive_udp(kResolver, 53, address("10.0.1.9"), wire.claimed()[0],
                  server.answer(kDnsTxt, {}, truncated));
  ASSERT_EQ(wire.connections().size(), 1U);
  EXPECT_EQ(wire.connections()[0].destination, kResolver);
  EXPECT_EQ(wire.connections()[0].port, 53);
  wire.accept();
  const Bytes& written = wire.connections()[0].written;
  ASSERT_GT(written.size(), 2U);
  EXPECT_EQ(parse_be16(written.data()), written.size() - 2);
  const Server by_tcp(ByteView(written).subspan(2));
  EXPECT_EQ(by_tcp.name(), server.name());
  const Bytes answer = ByteWriter().counted(2, home_answers(wire, by_tcp)).take();
  wire.feed(ByteView(answer).first(1));
  wire.feed(ByteView(answer).subspan(1, 30));
  EXPECT_FALSE(wire.answered());
  wire.feed(ByteView(answer).subspan(31));
  EXPECT_TRUE(wire.answered());
  EXPECT_TRUE(wire.connections()[0].closed);
  EXPECT_EQ(wire.sent().size(), 2U) << "leg 3 goes by UDP again";
}

TEST(DnsBroadcast, GoesToEverybodyAndToEachNeighbourItMaySendTo) {
  House house;
  const Scope scope = house.scope();
  std::vector<std::string> places;
  for (std::uint64_t i = 0; i < dns_broadcast().count(scope).count; ++i) {
    const Target target = dns_broadcast().target(scope, i);
    places.push_back((target.via.is_unspecified() ? target.destination : target.via).to_string());
  }
  const std::vector<std::string> expected = {"255.255.255.255", "10.0.1.255", "203.0.113.10",
                                             "ff02::1",         "10.0.1.50",  "10.0.1.60",
                                             "2001:db8:1::50"};
  EXPECT_EQ(places, expected);
  EXPECT_EQ(dns_broadcast().count(house.scope(CycleKind::long_cycle)).count, 14U);
}

struct Place {
  const char* destination;
  const char* mac;
};
class DnsToAll : public testing::TestWithParam<Place> {};

TEST_P(DnsToAll, HasTheGroupsEthernetAddressAndTakesAnAnswerFromAnybody) {
  const House house;
  TestWire wire(house);
  wire.run(dns_broadcast(), {address(GetParam().destination), 53, kDnsTxt, {}});
  ASSERT_EQ(wire.sent().size(), 1U);
  EXPECT_EQ(wire.sent()[0].to(), mac_address(GetParam().mac));
  EXPECT_EQ(wire.sent()[0].way, TestWire::Way::frame);
  const Server server(udp_payload(wire.sent()[0]));
  const IpAddress anybody = address("10.0.1.60");
  Server::Wrong refused;
  refused.flags = 5;
  wire.arrive_udp(anybody, 53, address("10.0.1.9"), wire.claimed()[0],
                  server.answer(kDnsTxt, {}, refused));
  EXPECT_FALSE(wire.conversation()->is_done()) << "another may answer yet";
  wire.arrive_udp(address("10.0.1.50"), 53, address("10.0.1.9"), wire.claimed()[0],
                  home_answers(wire, server));
  EXPECT_TRUE(wire.answered());
  ASSERT_EQ(wire.sent().size(), 2U);
  EXPECT_EQ(wire.sent()[1].to(), mac_address(GetParam().mac));
}
INSTANTIATE_TEST_SUITE_P(Places, DnsToAll,
                         testing::Values(Place{"255.255.255.255", "ff:ff:ff:ff:ff:ff"},
                                         Place{"10.0.1.255", "ff:ff:ff:ff:ff:ff"},
                                         Place{"203.0.113.10", "ff:ff:ff:ff:ff:ff"},
                                         Place{"ff02::1", "33:33:00:00:00:01"}));

TEST(DnsBroadcast, AsksANeighbourByItsOwnAddress) {
  const House house;
  TestWire wire(house);
  wire.run(dns_broadcast(), {kHome, 53, kDnsTxt, address("10.0.1.50")});
  ASSERT_EQ(wire.sent().size(), 1U);
  EXPECT_EQ(wire.sent()[0].to(), mac_address("02:00:00:00:00:50"));
  EXPECT_EQ(IpAddress::v4_bytes(wire.sent()[0].packet().data() + 16), address("10.0.1.50"));
}

TEST(DnsBroadcast, IsBroadcastSoThatTheProfileOtLeavesItOut) {
  EXPECT_NE(dns_broadcast().traits & kBroadcast, 0U);
  House house(true, false);
  house.config.profile = Profile::ot;
  house.config.neighbours = {address("10.0.1.50")};
  bool asked = false;
  for (std::uint64_t i = 0; i < dns().count(house.scope()).count; ++i) {
    asked |= dns().target(house.scope(), i).via == address("10.0.1.50");
  }
  EXPECT_TRUE(asked) << "a listed neighbour is asked as a resolver is";
}

}  // namespace
}  // namespace beaconry
