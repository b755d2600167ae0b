#include "flow/flow_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "flow/test_traffic.h"

namespace beaconry {
namespace {

using namespace test_traffic;
using testing::ElementsAre;

std::vector<double> times(const std::vector<Seen>& events) {
  std::vector<double> out;
  for (const Seen& event : events)
    out.push_back(event.time);
  return out;
}

TEST(FlowTable, ReportsAFlowWithoutSilenceByOneClose) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.open(100);
  c.out(100.1, Bytes(300));
  c.in(100.2, Bytes(5000));
  c.close(100.5);
  traffic.table.finish();
  ASSERT_EQ(traffic.seen.events.size(), 1U);
  const Seen& event = traffic.seen.events[0];
  EXPECT_EQ(event.kind, FlowEventKind::close);
  EXPECT_TRUE(event.begins_check_in);
  EXPECT_EQ(event.pair, kPair);
  EXPECT_EQ(event.source_port, 50'000);
  EXPECT_EQ(event.time, 100);
  EXPECT_NEAR(event.duration, 0.52, 1e-6);
  EXPECT_EQ(event.out, 300U);
  EXPECT_EQ(event.in, 5000U);
  EXPECT_EQ(event.id, "1");
}

TEST(FlowTable, ReportsActivityAfterSilenceAsBursts) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.open(0);
  for (int i = 0; i < 4; ++i) {
    c.out(0.1 + i * 300, Bytes(100));  // five minutes apart: still one connection
    c.in(0.2 + i * 300, Bytes(20));
  }
  c.reset(4000);  // an hour later
  traffic.table.finish();
  const auto& events = traffic.seen.events;
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[0].kind, FlowEventKind::open);
  EXPECT_EQ(events[3].kind, FlowEventKind::burst);
  EXPECT_EQ(events[4].kind, FlowEventKind::close);
  EXPECT_FALSE(events[4].begins_check_in);
  EXPECT_EQ(events[4].out, 0U);
  EXPECT_NEAR(events[4].duration, 4000, 1e-6);
  EXPECT_THAT(times(traffic.seen.check_ins()), ElementsAre(0, 300.1, 600.1, 900.1));
  for (const Seen& event : traffic.seen.check_ins()) {
    EXPECT_EQ(event.out, 100U);
    EXPECT_EQ(event.in, 20U);
    EXPECT_LT(event.duration, 1);
  }
  EXPECT_EQ(events[1].id, "6");  // the packet that began it
}

TEST(FlowTable, TakesTheBurstGapFromItsOptions) {
  FlowTable::Options options;
  options.burst_gap = std::chrono::seconds{10};
  Traffic traffic(options);
  Connection c(traffic, kClient, kServer);
  c.open(0);
  for (const double time : {0.1, 9.0, 18.9, 28.9})
    c.out(time, Bytes(10));
  traffic.table.finish();
  EXPECT_THAT(times(traffic.seen.check_ins()), ElementsAre(0, 28.9));
}

TEST(FlowTable, CountsNoProbeRetransmissionOrMirroredPacketAsActivity) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.open(0);
  c.out(0.1, Bytes(100));
  c.send(0.1, 0, kTcpAck, Bytes(100), 100);  // the mirror shows it twice
  c.send(30, 0, kTcpAck, {}, 1);             // keep-alive probe, empty
  c.send(30.1, 1, kTcpAck);
  c.send(60, 0, kTcpAck, Bytes(1), 1);      // with a byte of garbage
  c.send(90, 0, kTcpAck, Bytes(100), 100);  // retransmission
  c.send(95, 1, kTcpAck);
  c.close(120);
  traffic.table.finish();
  ASSERT_EQ(traffic.seen.events.size(), 1U);
  EXPECT_EQ(traffic.seen.events[0].out, 100U);
  EXPECT_NEAR(traffic.seen.events[0].duration, 120.02, 1e-6);
}

TEST(FlowTable, CountsWhatTheCaptureMissedBySequenceNumbers) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.open(0);
  const std::uint32_t start = c.next(0);
  traffic.tcp(0.1, kClient, kServer, kTcpAck, start, Bytes(100));
  traffic.tcp(0.2, kClient, kServer, kTcpAck, start + 300, Bytes(100));  // 200 came late
  traffic.tcp(0.3, kClient, kServer, kTcpAck, start + 100, Bytes(200));
  traffic.tcp(0.4, kClient, kServer, kTcpAck, start + 350, Bytes(100));  // overlaps by 50
  traffic.table.finish();
  EXPECT_EQ(traffic.seen.events[0].out, 450U);
}

TEST(FlowTable, KeepsAGoodByeOutOfTheCheckIns) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.open(0);
  c.out(0.1, Bytes(100));
  c.out(60, Bytes(100));
  c.out(90, Bytes(31));  // TLS close_notify
  c.close(90);
  traffic.table.finish();
  EXPECT_THAT(times(traffic.seen.check_ins()), ElementsAre(0, 60));
  EXPECT_EQ(traffic.seen.events.back().kind, FlowEventKind::close);
  EXPECT_EQ(traffic.seen.events.back().out, 31U);
}

TEST(FlowTable, SeesOneCheckInInRepeatedSyns) {
  Traffic traffic;
  for (const double time : {0, 1, 3, 7, 15, 31, 63})
    traffic.tcp(time, kClient, kServer, kTcpSyn, 77);
  traffic.table.finish();
  ASSERT_EQ(traffic.seen.events.size(), 1U);
  EXPECT_TRUE(traffic.seen.events[0].begins_check_in);
  EXPECT_EQ(traffic.seen.events[0].out, 0U);
  EXPECT_EQ(traffic.seen.events[0].time, 0);
}

TEST(FlowTable, SeesANewFlowInASynWithAnotherSequenceNumber) {
  Traffic traffic;
  Connection first(traffic, kClient, kServer, 1000);
  first.open(0);
  first.out(0.1, Bytes(10));
  first.close(0.2);
  Connection second(traffic, kClient, kServer, 900'000);  // the port is used again after a close
  second.open(5);
  second.out(5.1, Bytes(20));
  Connection third(traffic, kClient, kServer, 5'000'000);  // and without one
  third.open(10);
  third.out(10.1, Bytes(30));
  traffic.table.finish();
  ASSERT_EQ(traffic.seen.events.size(), 3U);
  EXPECT_THAT(times(traffic.seen.check_ins()), ElementsAre(0, 5, 10));
  EXPECT_EQ(traffic.seen.events[2].out, 30U);
}

TEST(FlowTable, TellsWhoOpened) {
  struct Case {
    const char* what;
    End from, to;
    std::uint8_t protocol, flags;
    const char* pair;
  } const cases[] = {
      {"SYN, even from a low port",
       {"203.0.113.9", 20},
       {"10.0.0.5", 40'000},
       6,
       kTcpSyn,
       "203.0.113.9->10.0.0.5:40000/TCP"},
      {"SYN-ACK", kServer, kClient, 6, kTcpSyn | kTcpAck, kPair},
      {"data of the server in mid-stream", kServer, kClient, 6, kTcpAck, kPair},
      {"data of the client in mid-stream", kClient, kServer, 6, kTcpAck, kPair},
      {"an outside client in mid-stream",
       {"203.0.113.9", 50'000},
       {"10.0.0.5", 22},
       6,
       kTcpAck,
       "203.0.113.9->10.0.0.5:22/TCP"},
      {"both ports high: inside opens",
       {"203.0.113.9", 8080},
       {"10.0.0.5", 9000},
       6,
       kTcpAck,
       "10.0.0.5->203.0.113.9:8080/TCP"},
      {"UDP question", {"10.0.0.5", 5000}, {"10.0.0.1", 53}, 17, 0, "10.0.0.5->10.0.0.1:53/UDP"},
      {"UDP answer first",
       {"10.0.0.1", 53},
       {"10.0.0.5", 5000},
       17,
       0,
       "10.0.0.5->10.0.0.1:53/UDP"},
      {"UDP, high ports",
       {"203.0.113.9", 6000},
       {"10.0.0.5", 5000},
       17,
       0,
       "203.0.113.9->10.0.0.5:5000/UDP"},
      {"IPv6",
       {"2001:db8::2", 443},
       {"fd00::1", 5000},
       6,
       kTcpAck,
       "[fd00::1]->[2001:db8::2]:443/TCP"},
      {"another protocol",
       {"203.0.113.9", 0},
       {"10.0.0.5", 0},
       47,
       0,
       "203.0.113.9->10.0.0.5:0/IP-47"},
  };
  for (const Case& c : cases) {
    Traffic traffic;
    traffic.send(0, c.from, c.to, c.protocol, c.flags, 1, Bytes(10));
    traffic.table.finish();
    ASSERT_EQ(traffic.seen.events.size(), 1U) << c.what;
    EXPECT_EQ(traffic.seen.events[0].pair, c.pair) << c.what;
    const bool outward =
        traffic.seen.events[0].pair.find(c.from.address) < traffic.seen.events[0].pair.find("->");
    EXPECT_EQ(outward ? traffic.seen.events[0].out : traffic.seen.events[0].in, 10U) << c.what;
  }
}

TEST(FlowTable, BelievesASynThatWasCapturedLate) {
  Traffic traffic;
  traffic.tcp(0, {"10.0.0.5", 9000}, {"203.0.113.9", 9001}, kTcpAck, 501, Bytes(10));
  traffic.tcp(0.001, {"10.0.0.5", 9000}, {"203.0.113.9", 9001}, kTcpSyn, 500);
  traffic.table.finish();
  ASSERT_EQ(traffic.seen.events.size(), 1U);
  EXPECT_EQ(traffic.seen.events[0].pair, "10.0.0.5->203.0.113.9:9001/TCP");
  EXPECT_EQ(traffic.seen.events[0].out, 10U);
}

TEST(FlowTable, TakesAnEchoReplyAsAnAnswerAndNoErrorAsAFlow) {
  Traffic traffic;
  traffic.icmp_type = 0;
  traffic.send(0, {"10.0.0.1", 0}, {"10.0.0.5", 0}, kProtocolIcmp);
  traffic.icmp_type = 3;
  EXPECT_EQ(traffic.send(1, {"10.0.0.9", 0}, {"10.0.0.5", 0}, kProtocolIcmp),
            PacketUse::icmp_error);
  traffic.table.finish();
  ASSERT_EQ(traffic.seen.events.size(), 1U);
  EXPECT_EQ(traffic.seen.events[0].pair, "10.0.0.5->10.0.0.1:0/ICMP");
}

TEST(FlowTable, SaysWhatItDoesNotUse) {
  Traffic traffic;
  EXPECT_EQ(traffic.tcp(0, kClient, kServer, kTcpAck), PacketUse::stray_segment);
  EXPECT_EQ(traffic.tcp(0, kClient, kServer, kTcpRst), PacketUse::stray_segment);
  traffic.fragment = kLaterFragment;
  EXPECT_EQ(traffic.udp(0, kClient, kServer, Bytes(10)), PacketUse::later_fragment);
  traffic.table.finish();
  EXPECT_TRUE(traffic.seen.events.empty());
}

TEST(FlowTable, KeepsATcpConnectionForHoursAndBeginsUdpAnew) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  const End resolver{"10.0.0.1", 9999};
  c.open(0);
  for (int i = 0; i < 4; ++i) {
    c.out(i * 5000.0 + 0.1, Bytes(10));  // 83 minutes
    traffic.udp(i * 5000.0 + 0.2, kClient, resolver, Bytes(10));
  }
  traffic.table.finish();
  std::size_t tcp_closes = 0, udp_closes = 0;
  for (const Seen& event : traffic.seen.events) {
    if (event.kind == FlowEventKind::close) ++(event.pair == kPair ? tcp_closes : udp_closes);
  }
  EXPECT_EQ(tcp_closes, 1U);
  EXPECT_EQ(udp_closes, 4U);
  EXPECT_EQ(traffic.seen.check_ins().size(), 8U);
}

TEST(FlowTable, EndsIdleFlowsAsTimeGoesBy) {
  Traffic traffic;
  for (std::uint16_t port = 1; port <= 100; ++port)
    traffic.udp(0, {"10.0.0.5", port}, {"203.0.113.9", 9000}, Bytes(10));
  EXPECT_EQ(traffic.table.flow_count(), 100U);
  traffic.table.expire(at(100));
  EXPECT_EQ(traffic.table.flow_count(), 100U);
  traffic.table.expire(at(200));
  EXPECT_EQ(traffic.table.flow_count(), 0U);
  EXPECT_EQ(traffic.seen.events.size(), 100U);
}

TEST(FlowTable, IsNotEmptiedByOneDamagedTimestamp) {
  Traffic traffic;
  for (std::uint16_t port = 1; port <= 100; ++port)
    traffic.udp(0, {"10.0.0.5", port}, {"203.0.113.9", 9000}, Bytes(10));
  traffic.udp(4e9, {"10.0.0.6", 1}, {"203.0.113.9", 9000}, Bytes(10));
  for (std::uint16_t port = 1; port <= 100; ++port)
    traffic.udp(0.5, {"10.0.0.5", port}, {"203.0.113.9", 9000}, Bytes(10));
  traffic.table.finish();
  EXPECT_EQ(traffic.seen.events.size(), 101U);
}

TEST(FlowTable, ReturnsFromALeapThatTwoDamagedTimestampsMade) {
  constexpr double kYear = 365 * 86'400.0;
  for (const bool other_flow : {true, false}) {
    Traffic traffic;
    for (int i = 0; i < 3000; ++i) {
      traffic.udp(1000 + i * 0.5, kClient, kServer, Bytes(10));
      if (i != 100) continue;
      for (const double ahead : {0.0, 0.1})
        traffic.udp(kYear + ahead, other_flow ? End{"10.0.0.6", 1} : kClient, kServer, Bytes(10));
    }
    traffic.table.finish();
    EXPECT_LE(traffic.table.ended(), 3U);
    EXPECT_LE(traffic.seen.check_ins().size(), 4U);
  }
}

TEST(FlowTable, EndsIdleFlowsAfterTheClockWentBack) {
  Traffic traffic;
  for (const double time : {0.0, 1e6, 1e6, 100.0, 100.0})
    traffic.udp(time, kClient, kServer, Bytes(10));
  for (std::uint16_t port = 1; port <= 100; ++port)
    traffic.udp(100, {"10.0.0.5", port}, {"203.0.113.9", 9000}, Bytes(10));
  for (int i = 0; i < 300; ++i)
    traffic.udp(400 + i, {"10.0.0.7", 1}, {"203.0.113.9", 9000}, Bytes(10));
  EXPECT_LE(traffic.table.flow_count(), 2U);
}

TEST(FlowTable, ToleratesTimeThatRunsBackwards) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.open(1000);
  c.out(1000.1, Bytes(10));
  c.out(999.9, Bytes(10));  // out of order
  c.out(400, Bytes(10));    // the clock was set back
  c.out(400.1, Bytes(10));
  c.out(460, Bytes(10));
  traffic.table.finish();
  EXPECT_THAT(times(traffic.seen.check_ins()), ElementsAre(999.9, 400, 460));
  for (const Seen& event : traffic.seen.events)
    EXPECT_GE(event.duration, 0);
}

TEST(FlowTable, EvictsTheLongestIdleWhenFull) {
  FlowTable::Options options;
  options.most_flows = 64;
  Traffic traffic(options);
  for (std::uint16_t i = 1; i <= 200; ++i) {
    const auto port = static_cast<std::uint16_t>(20'000 + i);
    traffic.udp(i * 0.01, {"10.0.0.5", port}, {"203.0.113.9", 9000}, Bytes(i));
    traffic.udp(i * 0.01, kClient, kServer, Bytes(1));  // never idle
    EXPECT_LE(traffic.table.flow_count(), 64U);
  }
  EXPECT_GE(traffic.table.evicted(), 137U);
  traffic.table.finish();
  ASSERT_EQ(traffic.seen.events.size(), 201U);  // each exactly once
  std::uint64_t bytes = 0;
  for (const Seen& event : traffic.seen.events)
    bytes += event.out;
  EXPECT_EQ(bytes, 200U * 201 / 2 + 200);
}

TEST(FlowTable, NamesTheFileOfAPacketAmongSeveral) {
  FlowTable::Options options;
  options.file_names = {"a.pcap", "b.pcap"};
  Traffic traffic(options);
  traffic.file = 1;
  traffic.udp(0, kClient, kServer, Bytes(1));
  traffic.table.finish();
  EXPECT_EQ(traffic.seen.events[0].id, "b.pcap#1");
}

// However the capture shuffles near packets and doubles them, bytes and check-ins are those sent.
RC_GTEST_PROP(FlowTable, CountsBytesAndCheckInsWhateverTheCaptureDoes, ()) {
  struct Sent {
    double time;
    unsigned end;
    std::uint32_t sequence;
    Bytes payload;
  };
  std::vector<Sent> packets;
  std::uint32_t next[2] = {*rc::gen::arbitrary<std::uint32_t>(), 1};
  const std::uint32_t first = next[0];
  std::uint64_t bytes[2] = {0, 0};
  const auto bursts = *rc::gen::inRange(1, 6);
  for (int burst = 0; burst < bursts; ++burst) {
    const auto count = *rc::gen::inRange(1, 6);
    for (int i = 0; i < count; ++i) {
      const auto end = static_cast<unsigned>(*rc::gen::inRange(0, 2));
      const auto size = *rc::gen::inRange<std::uint32_t>(1, 2000);
      packets.push_back({burst * 10 + i * 0.1, end, next[end], Bytes(size)});
      next[end] += size;
      bytes[end] += size;
    }
    const auto a = static_cast<std::size_t>(*rc::gen::inRange(0, count));
    const auto begin = packets.size() - static_cast<std::size_t>(count);
    std::swap(packets[begin + a].payload, packets[begin].payload);  // keeps times in order
    std::swap(packets[begin + a].sequence, packets[begin].sequence);
    std::swap(packets[begin + a].end, packets[begin].end);
  }
  Traffic traffic;
  traffic.tcp(0, kClient, kServer, kTcpSyn, first - 1);
  traffic.tcp(0, kServer, kClient, kTcpSyn | kTcpAck, 0);
  for (const Sent& sent : packets) {
    const auto copies = *rc::gen::inRange(1, 3);
    for (int copy = 0; copy < copies; ++copy) {
      traffic.tcp(sent.time, sent.end == 0 ? kClient : kServer, sent.end == 0 ? kServer : kClient,
                  kTcpAck, sent.sequence, sent.payload);
    }
  }
  traffic.table.finish();
  std::uint64_t out = 0, in = 0;
  for (const Seen& event : traffic.seen.events)
    out += event.out, in += event.in;
  RC_ASSERT(out == bytes[0]);
  RC_ASSERT(in == bytes[1]);
  RC_ASSERT(traffic.seen.check_ins().size() == static_cast<std::size_t>(bursts));
}

}  // namespace
}  // namespace beaconry
