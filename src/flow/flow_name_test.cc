#include "flow/flow_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flow/test_traffic.h"
#include "packet/quic_test_client.h"

namespace beaconry {
namespace {

using namespace test_traffic;
using test_messages::bytes_of;
using test_messages::client_hello;
using testing::ElementsAre;

std::vector<std::string> names(const std::vector<Seen>& events) {
  std::vector<std::string> out;
  for (const Seen& event : events)
    out.push_back(event.name);
  return out;
}

Bytes part(const Bytes& whole, std::size_t from, std::size_t to) {
  return Bytes(whole.begin() + static_cast<std::ptrdiff_t>(from),
               whole.begin() + static_cast<std::ptrdiff_t>(to));
}

TEST(FlowName, OfAClientHelloIsOnEveryEvent) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.open(0);
  c.out(0.1, client_hello("CDN.Evil.Example"));
  c.in(0.2, Bytes(3000));
  c.out(60, Bytes(100, 0x17));
  c.close(120);
  traffic.table.finish();
  ASSERT_EQ(traffic.seen.events.size(), 3U);
  for (const Seen& event : traffic.seen.events) {
    EXPECT_EQ(event.name, "cdn.evil.example");
    EXPECT_EQ(event.name_kind, NameKind::tls_sni);
  }
}

TEST(FlowName, IsFoundInAHelloOfManySegmentsInAnyOrder) {
  const Bytes hello = client_hello("split.example", 1800);
  const std::size_t size = hello.size();
  for (const bool shuffled : {false, true}) {
    Traffic traffic;
    Connection c(traffic, kClient, kServer);
    c.open(0);
    const std::uint32_t start = c.next(0);
    std::vector<std::pair<std::size_t, std::size_t>> pieces = {{0, 700}, {700, 1400}, {1400, size}};
    if (shuffled) std::swap(pieces[0], pieces[1]);
    for (const auto& [from, to] : pieces) {
      traffic.tcp(0.1, kClient, kServer, kTcpAck, start + static_cast<std::uint32_t>(from),
                  part(hello, from, to));
    }
    traffic.table.finish();
    EXPECT_THAT(names(traffic.seen.events), ElementsAre("split.example"));
    EXPECT_EQ(traffic.seen.events[0].out, size);
  }
}

TEST(FlowName, OfMessagesInPiecesTakesNoMoreMemoryThanAllowed) {
  FlowTable::Options options;
  options.most_pending_bytes = 1 << 20;
  Traffic traffic(options);
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    const End client{"10.0.0.5", port};
    traffic.tcp(0, client, kServer, kTcpSyn, 999);
    traffic.tcp(0.1, client, kServer, kTcpAck, 1000 + 16'000, Bytes(1));
    ASSERT_LE(traffic.table.pending_bytes(), options.most_pending_bytes);
  }
  EXPECT_GT(traffic.table.pending_bytes(), options.most_pending_bytes / 2);
  EXPECT_GT(traffic.table.names_given_up(), 900U);
  EXPECT_LT(traffic.table.names_given_up(), 1000U);
  traffic.tcp(0.2, {"10.0.0.5", 2000}, kServer, kTcpSyn, 999);
  traffic.tcp(0.3, {"10.0.0.5", 2000}, kServer, kTcpAck, 1000, client_hello("whole.example"));
  traffic.table.finish();
  EXPECT_EQ(traffic.table.pending_bytes(), 0U);
  EXPECT_EQ(traffic.seen.events.size(), 1001U);
  EXPECT_EQ(traffic.seen.events.back().name, "whole.example");
}

TEST(FlowName, IsFoundAfterSomeLinesOfAnotherProtocol) {
  Traffic traffic;
  Connection c(traffic, kClient, {"203.0.113.25", 587});
  c.open(0);
  c.in(0.1, bytes_of("220 mail\r\n"));
  c.out(0.2, bytes_of("EHLO pc7\r\n"));
  c.out(0.3, bytes_of("STARTTLS\r\n"));
  c.out(0.4, client_hello("mail.example"));
  traffic.table.finish();
  EXPECT_THAT(names(traffic.seen.events), ElementsAre("mail.example"));
}

TEST(FlowName, OfABurstIsItsLastHost) {
  Traffic traffic;
  Connection c(traffic, kClient, {"10.0.0.1", 3128});
  const auto request = [](const std::string& host) {
    return bytes_of("GET http://" + host + "/ HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  };
  c.open(0);
  c.out(0.1, request("a.example"));
  c.out(0.2, request("b.example"));
  c.in(0.3, Bytes(500));
  c.out(30, request("c.example"));
  c.out(60, bytes_of("not a request"));
  traffic.table.finish();
  EXPECT_THAT(names(traffic.seen.check_ins()), ElementsAre("b.example", "c.example", "c.example"));
  EXPECT_EQ(traffic.seen.events[0].name_kind, NameKind::http_host);
}

TEST(FlowName, OfAConnectTargetBeatsTheSniInsideTheTunnel) {
  Traffic traffic;
  Connection c(traffic, kClient, {"10.0.0.1", 3128});
  c.open(0);
  c.out(0.1, bytes_of("CONNECT tunnel.example:443 HTTP/1.1\r\n\r\n"));
  c.in(0.2, bytes_of("HTTP/1.1 200 OK\r\n\r\n"));
  c.out(0.3, client_hello("front.example"));
  traffic.table.finish();
  EXPECT_THAT(names(traffic.seen.events), ElementsAre("tunnel.example"));
  EXPECT_EQ(traffic.seen.events[0].name_kind, NameKind::connect_target);
}

TEST(FlowName, IsFoundInARequestOfSeveralSegments) {
  Traffic traffic;
  Connection c(traffic, kClient, {"203.0.113.80", 80});
  c.open(0);
  c.out(0.1, bytes_of("GET / HTTP/1.1\r\nUser-Agent: x\r\nHo"));
  c.out(0.2, bytes_of("st: split.example\r\n\r\n"));
  traffic.table.finish();
  EXPECT_THAT(names(traffic.seen.events), ElementsAre("split.example"));
}

TEST(FlowName, OfADnsFlowIsTheRegisteredDomainAndEachIsACheckIn) {
  Traffic traffic;
  const End resolver{"10.0.0.1", 53};
  traffic.udp(0.0, kClient, resolver, test_messages::dns_query("a.x.example.co.uk"));
  traffic.udp(0.01, kClient, resolver, test_messages::dns_query("a.x.example.co.uk", 28));
  traffic.udp(0.02, resolver, kClient, test_messages::dns_answer("a.x.example.co.uk", 0x01020304));
  traffic.udp(0.03, kClient, resolver, test_messages::dns_query("other.test"));
  traffic.udp(0.04, resolver, kClient, test_messages::dns_answer("other.test", 0x05060708));
  traffic.table.finish();
  EXPECT_THAT(names(traffic.seen.check_ins()), ElementsAre("example.co.uk", "other.test"));
  EXPECT_EQ(traffic.seen.events[0].name_kind, NameKind::dns_domain);
  EXPECT_THAT(traffic.seen.address_names,
              ElementsAre("1.2.3.4 a.x.example.co.uk", "5.6.7.8 other.test"));
}

TEST(FlowName, IsFoundInDnsOverTcp) {
  Traffic traffic;
  Connection c(traffic, kClient, {"10.0.0.1", 53});
  const Bytes query = test_messages::dns_query("www.example.org");
  Bytes length;
  test_messages::put(length, query.size(), 2);
  c.open(0);
  c.out(0.1, length);  // some resolvers send the length by itself
  c.out(0.1, query);
  traffic.table.finish();
  EXPECT_THAT(names(traffic.seen.events), ElementsAre("example.org"));
}

TEST(FlowName, IsFoundInQuic) {
  Traffic traffic;
  const test_messages::QuicClient quic;
  const Bytes hello = test_messages::client_hello_message("quic.example", 1500);
  traffic.udp(0, kClient, kServer, quic.seal(0, quic.crypto_frame(hello, 0, 1000)));
  traffic.udp(0, kClient, kServer, quic.seal(1, quic.crypto_frame(hello, 1000, hello.size())));
  traffic.udp(0.1, kServer, kClient, Bytes(1200));
  traffic.table.finish();
  EXPECT_THAT(names(traffic.seen.events), ElementsAre("quic.example"));
}

TEST(FlowName, OfAHostComesFromDhcp) {
  Traffic traffic;
  traffic.udp(0, {"0.0.0.0", 68}, {"255.255.255.255", 67},
              test_messages::dhcp({3, "PC7", 0, 0, 0x0a000005}));
  traffic.table.finish();
  EXPECT_THAT(traffic.seen.host_names, ElementsAre("10.0.0.5 pc7"));
}

TEST(FlowName, IsNotMadeOfBytesThatNoNameHas) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.open(0);
  c.out(0.1, client_hello("evil\x1b[2J.example"));
  traffic.table.finish();
  EXPECT_THAT(names(traffic.seen.events), ElementsAre(""));
}

}  // namespace
}  // namespace beaconry
