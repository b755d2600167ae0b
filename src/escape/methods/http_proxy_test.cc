// http_proxy and socks_proxy: the same talk in several forms.
#include <gtest/gtest.h>

#include "escape/byte_writer.h"
#include "escape/dns_query.h"
#include "escape/proxy_answer.h"
#include "escape/test_wire.h"

namespace beaconry {
namespace {

using namespace test;

const Method& http() {
  return *find_method(MethodId::http_proxy);
}
const Method& socks() {
  return *find_method(MethodId::socks_proxy);
}
const IpAddress kHome = address("203.0.113.10"), kProxy = address("10.0.1.50");

Bytes bytes(std::string_view text) {
  return Bytes(text.begin(), text.end());
}
std::string written(const TestWire& wire, std::size_t connection = 0) {
  return std::string(as_text(wire.connections().at(connection).written));
}

TEST(HttpProxy, AsksGatewaysAndNeighboursAtUsualPortsAndMoreInTheLongCycle) {
  House house(true, false);
  const Scope scope = house.scope();
  ASSERT_EQ(http().count(scope).count, 3U * 3U * 2U);
  const Target first = http().target(scope, 0), second = http().target(scope, 1);
  EXPECT_EQ(first.via, address("10.0.1.1"));
  EXPECT_EQ(first.destination, kHome);
  EXPECT_EQ(first.port, 443);
  EXPECT_EQ(second.port, 80);
  EXPECT_GT(http().count(house.scope(CycleKind::long_cycle)).count, 3U * 3U * 2U);
  EXPECT_EQ(socks().count(scope).count, 3U * 2U);
  house.segment.set_wpad("http://10.0.1.50/wpad.dat");
  house.segment.add_resolver(address("10.0.1.1"));
  EXPECT_EQ(http().count(house.scope()).count, 3U * 3U * 2U + 2U);
}

TEST(HttpProxy, SaysWhyThereIsNobodyToAsk) {
  const House house(false, false);
  EXPECT_FALSE(http().count(house.scope()).why_none.empty());
  EXPECT_FALSE(socks().count(house.scope()).why_none.empty());
}

TEST(HttpProxy, ConnectsThroughAndTalksToHomeInTheTunnel) {
  const House house;
  TestWire wire(house);
  wire.run(http(), {kHome, 443, 1, kProxy});
  ASSERT_EQ(wire.connections().size(), 1U);
  EXPECT_EQ(wire.connections()[0].destination, kProxy);
  EXPECT_EQ(wire.connections()[0].port, 3128);
  wire.accept();
  const std::string request = written(wire);
  EXPECT_EQ(request, "CONNECT 203.0.113.10:443 HTTP/1.1\r\nHost: 203.0.113.10:443\r\n\r\n");
  wire.feed(bytes("HTTP/1.1 200 Connection established\r\nVia: 1"));
  EXPECT_EQ(written(wire), request) << "the head is not over";
  wire.feed(bytes(".1 p\r\n\r\n"));
  const auto first = wire.open(as_bytes(written(wire)));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->via, kProxy);
  const std::size_t before = written(wire).size();
  wire.feed(wire.home_reply());
  EXPECT_TRUE(wire.answered());
  const auto third = wire.open(as_bytes(written(wire).substr(before)));
  ASSERT_TRUE(third);
  EXPECT_EQ(third->leg, Leg::confirmed);
  EXPECT_FALSE(wire.connections()[0].closed) << "the proxy needs time to pass it on";
  wire.time_out();
  EXPECT_TRUE(wire.connections()[0].closed);
  EXPECT_TRUE(wire.conversation()->is_done());
}

TEST(HttpProxy, UsesAnotherPortByTheVariant) {
  const House house;
  TestWire wire(house);
  wire.run(http(), {kHome, 443, 8 + 1, kProxy});
  EXPECT_EQ(wire.connections().at(0).port, 8080);
  TestWire beyond(house);
  beyond.run(http(), {kHome, 443, 255, kProxy});
  EXPECT_EQ(beyond.conversation(), nullptr) << "no such port";
}

TEST(HttpProxy, GetsAPageOfHomeWhosePathIsThePing) {
  const House house;
  TestWire wire(house);
  wire.run(http(), {kHome, 80, 2, kProxy});
  wire.accept();
  EXPECT_EQ(written(wire).substr(0, 30),
            "GET http://203.0.113.10/bcn1" + written(wire).substr(28, 2));
  const auto first = wire.open(as_bytes(written(wire)));
  ASSERT_TRUE(first);
  wire.feed(bytes("HTTP/1.1 200 OK\r\nX-Asked: " + written(wire).substr(4, 200) + "\r\n\r\n"));
  EXPECT_FALSE(wire.answered()) << "what a proxy repeats is no answer";
  wire.feed(bytes(ping_text(wire.home_reply()) + "\n"));
  EXPECT_TRUE(wire.answered());
  ASSERT_EQ(wire.connections().size(), 2U);
  EXPECT_TRUE(wire.connections()[0].closed);
  wire.accept();
  const auto third = wire.open(as_bytes(written(wire, 1)));
  ASSERT_TRUE(third);
  EXPECT_EQ(third->leg, Leg::confirmed);
  wire.feed(bytes("HTTP/1.1 200 OK\r\n\r\n"));
  wire.hang_up("closed");
  EXPECT_TRUE(wire.conversation()->is_done());
}

TEST(HttpProxy, ConnectsToThePingsNameSoThatTheProxyResolvesIt) {
  const House house;
  TestWire wire(house);
  wire.run(http(), {kHome, 443, 3, kProxy});
  wire.accept();
  EXPECT_NE(written(wire).find(".t.example.org:443 HTTP/1.1\r\n"), std::string::npos);
  EXPECT_TRUE(wire.open(as_bytes(written(wire))));
}

TEST(HttpProxy, ARefusalOrNoiseEndsIt) {
  const House house;
  for (const std::string& answer :
       {std::string("HTTP/1.1 403 Forbidden\r\n\r\n"), std::string("SSH-2.0-x\r\n"),
        std::string("\0\1\2\3", 4), "HTTP/1.1 200 OK\r\n" + std::string(20'000, 'x')}) {
    TestWire wire(house);
    wire.run(http(), {kHome, 443, 1, kProxy});
    wire.accept();
    const std::string request = written(wire);
    wire.feed(bytes(answer));
    EXPECT_TRUE(wire.conversation()->is_done());
    EXPECT_TRUE(wire.connections()[0].closed);
    EXPECT_EQ(written(wire), request) << "no ping to who offers no tunnel";
  }
}

TEST(HttpProxy, AForgedReplyInTheTunnelIsNone) {
  const House house;
  TestWire wire(house);
  wire.run(http(), {kHome, 443, 1, kProxy});
  wire.accept();
  wire.feed(bytes("HTTP/1.1 200 OK\r\n\r\n"));
  Bytes forged = wire.home_reply();
  forged[40] ^= 1;
  wire.feed(forged);
  wire.feed(as_bytes(written(wire)));  // our own, sent back
  EXPECT_FALSE(wire.answered());
  EXPECT_FALSE(wire.conversation()->is_done());
}

struct Socks {
  std::uint8_t variant;
  Bytes greeting, request, answer;  // what we say first, then what follows the answer to it
};
class SocksForms : public testing::TestWithParam<Socks> {};

TEST_P(SocksForms, TunnelsToHome) {
  const House house;
  TestWire wire(house);
  wire.run(socks(), {kHome, 443, GetParam().variant, kProxy});
  ASSERT_EQ(wire.connections().size(), 1U);
  EXPECT_EQ(wire.connections()[0].port, 1080);
  wire.accept();
  std::string expected(as_text(GetParam().greeting));
  EXPECT_EQ(written(wire).substr(0, std::max<std::size_t>(expected.size(), 1)),
            expected.empty() ? "\4" : expected);
  if (!expected.empty()) wire.feed(Bytes{5, 0});
  expected += as_text(GetParam().request);
  EXPECT_EQ(written(wire), expected);
  for (const std::uint8_t byte : GetParam().answer)
    wire.feed(ByteView(&byte, 1));
  ASSERT_TRUE(wire.open(as_bytes(written(wire))));
  wire.feed(wire.home_reply());
  EXPECT_TRUE(wire.answered());
}
INSTANTIATE_TEST_SUITE_P(
    Forms, SocksForms,
    testing::Values(Socks{4,
                          {5, 1, 0},
                          {5, 1, 0, 1, 203, 0, 113, 10, 1, 0xbb},
                          {5, 0, 0, 1, 10, 0, 1, 50, 1, 2}},
                    Socks{5, {}, {4, 1, 1, 0xbb, 203, 0, 113, 10, 0}, {0, 90, 0, 0, 0, 0, 0, 0}}));

TEST(SocksProxy, GivesUpWhereItWantsAPassword) {
  const House house;
  TestWire wire(house);
  wire.run(socks(), {kHome, 443, 4, kProxy});
  wire.accept();
  wire.feed(Bytes{5, 0xff});
  EXPECT_TRUE(wire.conversation()->is_done());
}

// The name server's answer to the last question: these IPv4 addresses.
Bytes resolved(const TestWire& wire, std::initializer_list<std::string_view> addresses) {
  const ByteView query = wire.sent().back().packet().subspan(28);
  ByteWriter out;
  out.u16(parse_be16(query.data())).u16(0x8180).u16(1).u16(addresses.size()).u16(0).u16(0);
  out.bytes(query.subspan(12, query.size() - 12 - 11));  // the question; OPT takes 11 bytes
  for (const std::string_view text : addresses) {
    out.u16(0xc00c).u16(kDnsA).u16(1).u32(60).u16(4).u32(address(text).v4_value());
  }
  return out.take();
}

TEST(Wpad, FetchesWhatDhcpNamesAndTriesItsProxiesInTurn) {
  House house;
  house.segment.set_wpad("http://10.0.1.60:8000/proxy.pac");
  TestWire wire(house);
  wire.run(http(), {kHome, 443, 4, {}});
  ASSERT_EQ(wire.connections().size(), 1U);
  EXPECT_EQ(wire.connections()[0].destination, address("10.0.1.60"));
  EXPECT_EQ(wire.connections()[0].port, 8000);
  wire.accept();
  EXPECT_EQ(written(wire).substr(0, 36), "GET /proxy.pac HTTP/1.1\r\nHost: 10.0.");
  wire.feed(bytes("HTTP/1.1 200 OK\r\n\r\nreturn \"PROXY 10.0.1.50:3129; PROXY 127.0.0.1:1; "));
  wire.feed(bytes("SOCKS 10.0.1.60:1081\""));
  wire.hang_up("closed");
  ASSERT_EQ(wire.connections().size(), 2U);
  EXPECT_EQ(wire.connections()[1].destination, kProxy);
  EXPECT_EQ(wire.connections()[1].port, 3129);
  wire.accept();
  wire.feed(bytes("HTTP/1.1 403 Forbidden\r\n\r\n"));
  ASSERT_EQ(wire.connections().size(), 3U) << "the next one, but never ourselves";
  EXPECT_EQ(wire.connections()[2].port, 1081);
  wire.accept();
  wire.feed(Bytes{5, 0});
  wire.feed(Bytes{5, 0, 0, 1, 0, 0, 0, 0, 0, 0});
  wire.feed(wire.home_reply());
  EXPECT_TRUE(wire.answered());
  EXPECT_FALSE(wire.conversation()->is_done());
  wire.time_out();
  EXPECT_TRUE(wire.conversation()->is_done());
}

TEST(Wpad, AsksTheResolverForTheHostAndForTheProxiesItNames) {
  House house(true, false);
  TestWire wire(house);
  const IpAddress resolver = address("10.0.1.1"), ours = address("10.0.1.9");
  wire.run(http(), {kHome, 443, 5, resolver});
  ASSERT_EQ(wire.sent().size(), 1U);
  wire.arrive_udp(resolver, 53, ours, wire.claimed().back(), resolved(wire, {"10.0.1.60"}));
  ASSERT_EQ(wire.connections().size(), 1U);
  EXPECT_EQ(wire.connections()[0].destination, address("10.0.1.60"));
  wire.accept();
  wire.feed(
      bytes("HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n\"PROXY proxy.a:3128"
            "\""));
  ASSERT_EQ(wire.sent().size(), 2U) << "the proxy's name";
  wire.arrive_udp(resolver, 53, ours, wire.claimed().back(), resolved(wire, {"10.0.1.50"}));
  ASSERT_EQ(wire.connections().size(), 2U);
  EXPECT_EQ(wire.connections()[1].destination, kProxy);
}

TEST(Wpad, EndsWhereNothingIsFoundOrTheScriptNeverEnds) {
  House house(true, false);
  const IpAddress resolver = address("10.0.1.1");
  TestWire unknown(house);
  unknown.run(http(), {kHome, 443, 5, resolver});
  unknown.arrive_udp(resolver, 53, address("10.0.1.9"), unknown.claimed().back(),
                     resolved(unknown, {}));
  EXPECT_TRUE(unknown.conversation()->is_done());

  house.segment.set_wpad("http://10.0.1.60/");
  TestWire endless(house);
  endless.run(http(), {kHome, 443, 4, {}});
  endless.accept();
  endless.feed(bytes("HTTP/1.1 200 OK\r\n\r\n"));
  for (int i = 0; i < 100 && !endless.conversation()->is_done(); ++i)
    endless.feed(Bytes(8192, ' '));
  EXPECT_TRUE(endless.conversation()->is_done());
  EXPECT_TRUE(endless.connections()[0].closed);

  TestWire silent(house);
  silent.run(http(), {kHome, 443, 4, {}});
  silent.accept();
  silent.time_out();
  EXPECT_TRUE(silent.conversation()->is_done());

  house.segment.set_wpad("file:///etc/passwd");
  TestWire other(house);
  other.run(http(), {kHome, 443, 4, {}});
  EXPECT_EQ(other.conversation(), nullptr);
}

}  // namespace
}  // namespace beaconry
