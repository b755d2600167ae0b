// The flow table as live sources use it: reports while flows go on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <tuple>

#include "flow/flow_table.h"
#include "flow/test_traffic.h"

namespace beaconry {
namespace {

using namespace test_traffic;

using CheckIn = std::tuple<std::string, double, std::uint64_t, std::uint64_t>;

std::vector<CheckIn> sorted_check_ins(const Recorder& seen) {
  std::vector<CheckIn> all;
  for (const Seen& event : seen.check_ins())
    all.emplace_back(event.pair, event.time, event.out, event.in);
  std::sort(all.begin(), all.end());
  // Reports of one time are one check-in, as the store gathers them.
  std::vector<CheckIn> gathered;
  for (const auto& [pair, time, out, in] : all) {
    if (gathered.empty() || std::get<0>(gathered.back()) != pair ||
        std::get<1>(gathered.back()) != time) {
      gathered.emplace_back(pair, time, out, in);
    } else {
      std::get<2>(gathered.back()) += out;
      std::get<3>(gathered.back()) += in;
    }
  }
  return gathered;
}

TEST(FlowTableLive, HandsOutAnActivityOnceItWasSilentWithoutTheNextOne) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.open(100);
  c.out(100.1, Bytes(300));
  c.in(100.2, Bytes(5000));
  traffic.table.report(at(100.9));
  EXPECT_TRUE(traffic.seen.events.empty());  // it may go on
  traffic.table.report(at(101.5));
  ASSERT_EQ(traffic.seen.check_ins().size(), 1U);
  EXPECT_EQ(traffic.seen.events[0].kind, FlowEventKind::open);
  EXPECT_EQ(traffic.seen.events[0].out, 300U);
  traffic.table.report(at(102.5));
  EXPECT_EQ(traffic.seen.check_ins().size(), 1U);
  c.out(160, Bytes(70));
  traffic.table.report(at(162));
  ASSERT_EQ(traffic.seen.check_ins().size(), 2U);
  EXPECT_EQ(traffic.seen.check_ins()[1].kind, FlowEventKind::burst);
  EXPECT_EQ(traffic.seen.check_ins()[1].out, 70U);
  EXPECT_EQ(traffic.seen.check_ins()[1].in, 0U);
}

TEST(FlowTableLive, SaysOfLongFlowsThatTheyGoOnWithTheirTotals) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.open(100);
  c.out(100.1, Bytes(300));
  traffic.table.report(at(110));
  c.out(150, Bytes(40));
  c.in(150.1, Bytes(60));
  c.out(170, Bytes(5));
  traffic.table.report(at(170.1));
  const Seen& alive = traffic.seen.events.back();
  ASSERT_EQ(alive.kind, FlowEventKind::alive);
  EXPECT_FALSE(alive.begins_check_in);
  EXPECT_EQ(alive.time, 100);
  EXPECT_NEAR(alive.duration, 70, 1e-6);
  EXPECT_EQ(alive.out, 345U);
  EXPECT_EQ(alive.in, 60U);
  EXPECT_EQ(alive.pair, kPair);
}

TEST(FlowTableLive, SaysNothingMoreOfDatagramFlowsThatFellSilent) {
  Traffic traffic;
  traffic.udp(100, kClient, kServer, Bytes(30));
  for (int second = 102; second < 150; second += 10)
    traffic.table.report(at(second));
  EXPECT_EQ(traffic.seen.events.size(), 1U);
  traffic.table.report(at(400));
  ASSERT_EQ(traffic.seen.events.size(), 2U);
  EXPECT_EQ(traffic.seen.events[1].kind, FlowEventKind::close);
}

TEST(FlowTableLive, AConnectionThatNobodyAnswersIsReportedSoonAndOnce) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.send(100, 0, kTcpSyn);
  traffic.table.report(at(102));
  EXPECT_TRUE(traffic.seen.events.empty());  // its first payload may come
  c.send(103, 0, kTcpSyn);
  for (const double time : {105.0, 106.5, 110.0})
    traffic.table.report(at(time));
  ASSERT_EQ(traffic.seen.check_ins().size(), 1U);
  EXPECT_EQ(traffic.seen.check_ins()[0].time, 100);
  traffic.table.report(at(400));
  EXPECT_EQ(traffic.seen.check_ins().size(), 1U);
  EXPECT_EQ(traffic.seen.events.back().kind, FlowEventKind::close);
}

TEST(FlowTableLive, PayloadAfterThatIsOfTheSameTime) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.open(100);
  traffic.table.report(at(110));
  c.out(120, Bytes(700));
  c.close(120.1);
  traffic.table.report(at(200));
  for (const Seen& seen : traffic.seen.check_ins())
    EXPECT_EQ(seen.time, 100);
  EXPECT_EQ(traffic.seen.check_ins().back().out, 700U);
}

TEST(FlowTableLive, AClosedConnectionIsOneEventNotTwo) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.open(100);
  c.out(100.1, Bytes(300));
  c.close(100.2);
  traffic.table.report(at(105));
  traffic.table.report(at(115));
  ASSERT_EQ(traffic.seen.events.size(), 1U);
  EXPECT_EQ(traffic.seen.events[0].kind, FlowEventKind::close);
  EXPECT_TRUE(traffic.seen.events[0].begins_check_in);
  EXPECT_EQ(traffic.table.flow_count(), 0U);
}

TEST(FlowTableLive, AGoodByeIsNoCheckInThoughReportedBetweenItAndTheClose) {
  Traffic traffic;
  Connection c(traffic, kClient, kServer);
  c.open(100);
  c.out(100.1, Bytes(300));
  traffic.table.report(at(110));
  c.out(150, Bytes(24));
  c.send(150, 0, kTcpFin | kTcpAck);
  traffic.table.report(at(155));
  c.send(155.5, 1, kTcpFin | kTcpAck);
  traffic.table.report(at(300));
  EXPECT_EQ(traffic.seen.check_ins().size(), 1U);
  EXPECT_EQ(traffic.seen.events.back().kind, FlowEventKind::close);
  EXPECT_EQ(traffic.seen.events.back().out, 24U);
}

TEST(FlowTableLive, EndsSilentFlowsAfterTheTimeoutOfItsOptions) {
  FlowTable::Options options;
  options.idle_timeout = std::chrono::seconds{300};
  Traffic traffic(options);
  Connection c(traffic, kClient, kServer);
  c.open(100);
  c.out(100.1, Bytes(300));
  traffic.udp(100, kClient, kServer, Bytes(30));
  traffic.table.report(at(399));
  EXPECT_EQ(traffic.table.flow_count(), 2U);
  traffic.table.report(at(401));
  EXPECT_EQ(traffic.table.flow_count(), 0U);
}

// Whenever reports are asked for, check-ins and bytes are those of the same packets without them.
RC_GTEST_PROP(FlowTableLive, ReportsChangeNoCheckIn, ()) {
  Traffic live, offline;
  Connection a(live, kClient, kServer), b(offline, kClient, kServer);
  const auto both = [&](auto&& act) { act(a, live), act(b, offline); };
  double time = 100;
  both([&](Connection& c, Traffic&) { c.open(time); });
  const auto steps = *rc::gen::inRange(1, 30);
  for (int step = 0; step < steps; ++step) {
    time += *rc::gen::element(0.1, 0.4, 1.5, 30.0);
    const Bytes payload(*rc::gen::inRange<std::size_t>(1, 2000));
    const bool out = *rc::gen::arbitrary<bool>(), tcp = *rc::gen::arbitrary<bool>();
    both([&](Connection& c, Traffic& traffic) {
      if (!tcp) {
        traffic.udp(time, out ? kClient : kServer, out ? kServer : kClient, payload);
      } else if (out) {
        c.out(time, payload);
      } else {
        c.in(time, payload);
      }
    });
    if (*rc::gen::arbitrary<bool>()) live.table.report(at(time + 0.05));
  }
  if (*rc::gen::arbitrary<bool>()) both([&](Connection& c, Traffic&) { c.close(time + 0.3); });
  live.table.report(at(time + 5));
  both([](Connection&, Traffic& traffic) { traffic.table.finish(); });
  RC_ASSERT(sorted_check_ins(live.seen) == sorted_check_ins(offline.seen));
  std::uint64_t sums[2] = {0, 0};
  for (const Seen& event : live.seen.events) {
    if (event.kind != FlowEventKind::alive) sums[0] += event.out + event.in;
  }
  for (const Seen& event : offline.seen.events)
    sums[1] += event.out + event.in;
  RC_ASSERT(sums[0] == sums[1]);
}

}  // namespace
}  // namespace beaconry
