#include "hunt/live_hunt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include "hunt/hunt.h"
#include "hunt/test_network.h"

namespace beaconry {
namespace {

constexpr Duration kHour = std::chrono::hours{1};

bool go_on() {
  return true;
}

Timestamp newest_of(const Traffic& traffic) {
  Timestamp newest{};
  for (const FlowEvent& e : traffic.events())
    newest = std::max(newest, e.time);
  return newest;
}

void feed(LiveHunt& live, const Traffic& traffic, Timestamp now) {
  const auto sink = live.sink("edge", now);
  for (const FlowEvent& e : traffic.events())
    sink->add(e);
}

// A network with all that a hunt looks at: names, rotating addresses, bursts, fan-out, lookups.
Traffic network(std::uint64_t seed) {
  Traffic t;
  Random r(seed);
  t.add_hosts(200);
  for (int i = 0; i < 30; ++i)
    t.add({"10.0.1." + std::to_string(i + 1), "198.51.100.7"}, browsing(r, 60));
  t.add({"10.0.0.5", "203.0.113.9"}, shortened(r, 100, 60, 0.3));
  t.add({"10.0.0.6", "203.0.113.10", 123, Protocol::udp}, shortened(r, 60, 64, 0.01));
  Times rotating = shortened(r, 90, 30, 0.1);
  for (std::size_t i = 0; i < rotating.size(); ++i) {
    t.add(
        {"10.0.0.7", "203.0.113." + std::to_string(20 + i % 3), 443, Protocol::tcp, "cdn.evil.tld"},
        rotating[i]);
  }
  for (int d = 0; d < 20; ++d)
    t.add({"10.0.0.8", "10.0.2." + std::to_string(d + 1), 9100}, shortened(r, 40, 60, 0.02));
  t.add({"10.0.0.9", "10.0.0.1", 53, Protocol::udp, "evil.tld", NameKind::dns_domain},
        shortened(r, 50, 90, 0.1));
  Traffic::Call inside{"10.0.0.11", "203.0.113.40"};
  inside.burst = true;
  t.add(inside, shortened(r, 80, 20, 0.2));
  inside.burst = false;
  t.add(inside, browsing(r, 40));
  t.cut(7200);
  return t;
}

void expect_same(const ScoredPair& a, const ScoredPair& b) {
  EXPECT_EQ(a.identity(), b.identity());
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.check_ins, b.check_ins) << a.identity();
  EXPECT_EQ(a.connection_count, b.connection_count) << a.identity();
  EXPECT_EQ(a.destinations, b.destinations) << a.identity();
  EXPECT_EQ(a.verdict.combined_score, b.verdict.combined_score) << a.identity();
  EXPECT_EQ(a.verdict.interval_seconds, b.verdict.interval_seconds) << a.identity();
  EXPECT_EQ(a.verdict.is_beacon, b.verdict.is_beacon) << a.identity();
  EXPECT_EQ(a.verdict.adjustments.size(), b.verdict.adjustments.size()) << a.identity();
  EXPECT_EQ(a.hidden, b.hidden) << a.identity();
  EXPECT_EQ(a.hidden_reason, b.hidden_reason) << a.identity();
  EXPECT_EQ(a.represented_by, b.represented_by) << a.identity();
  EXPECT_EQ(a.judged, b.judged) << a.identity();
}

// The verdicts of a fresh Hunt over the events from `from` on.
std::vector<ScoredPair> hunted(const Traffic& traffic, const HuntSettings& settings, Timestamp from,
                               double least) {
  Hunt hunt(settings);
  for (const FlowEvent& e : traffic.events()) {
    if (e.time >= from) hunt.sinks()[0]->add(e);
  }
  HuntReport report;
  hunt.score(report);
  std::erase_if(report.pairs,
                [&](const ScoredPair& pair) { return pair.verdict.combined_score < least; });
  for (ScoredPair& pair : report.pairs)
    hunt.complete(pair);
  return report.pairs;
}

void expect_like_a_hunt(LiveHunt& live, const Traffic& traffic, const LiveHunt::Settings& settings,
                        Timestamp from) {
  auto analysis = live.analyze(go_on);
  ASSERT_TRUE(analysis);
  const auto expected = hunted(traffic, settings.hunt, from, settings.least_kept);
  ASSERT_EQ(analysis->pairs.size(), expected.size());
  ASSERT_FALSE(expected.empty());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expect_same(analysis->pairs[i], expected[i]);
    ASSERT_TRUE(live.complete(analysis->pairs[i]));
    EXPECT_EQ(analysis->pairs[i].verdict.summary, expected[i].verdict.summary);
    EXPECT_EQ(analysis->pairs[i].uids, expected[i].uids) << expected[i].identity();
  }
}

TEST(LiveHunt, SaysWhatAHuntOfTheSameEventsSays) {
  const Traffic traffic = network(1);
  LiveHunt::Settings settings;
  LiveHunt live(settings);
  feed(live, traffic, newest_of(traffic));
  expect_like_a_hunt(live, traffic, settings, kStart);
}

TEST(LiveHunt, HonoursGatesAndTheTimeWindowAsAHuntDoes) {
  const Traffic traffic = network(2);
  LiveHunt::Settings settings;
  settings.hunt.detection.gates.min_connections = 30;
  settings.hunt.detection.gates.time_window = std::chrono::minutes{50};
  LiveHunt live(settings);
  feed(live, traffic, newest_of(traffic));
  expect_like_a_hunt(live, traffic, settings, kStart);
}

TEST(LiveHunt, AfterExpirySaysWhatAHuntOfTheRetainedEventsSays) {
  Traffic traffic = network(3);
  traffic.sort();
  LiveHunt::Settings settings;
  settings.retention = kHour;
  LiveHunt live(settings);
  const Timestamp end = newest_of(traffic);
  // Time passes: each event comes in its time, and old ones go meanwhile.
  Timestamp expired = kStart;
  for (const FlowEvent& e : traffic.events()) {
    live.sink("edge", e.time)->add(e);
    if (e.time - expired > std::chrono::minutes{5}) live.expire(expired = e.time);
  }
  live.expire(end);
  const LiveHunt::Counters counters = live.counters();
  EXPECT_GT(counters.check_ins_expired, 0U);
  EXPECT_GE(counters.oldest, end - kHour);
  auto analysis = live.analyze(go_on);
  ASSERT_TRUE(analysis);
  const auto expected = hunted(traffic, settings.hunt, end - kHour, settings.least_kept);
  ASSERT_EQ(analysis->pairs.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    expect_same(analysis->pairs[i], expected[i]);
}

TEST(LiveHunt, WhatIsTooOldOrFromTheFutureIsCountedAndNotKept) {
  Traffic traffic;
  traffic.add({"10.0.0.5", "203.0.113.9"}, 0);
  traffic.add({"10.0.0.5", "203.0.113.9"}, 100'000);
  traffic.add({"10.0.0.5", "203.0.113.9"}, 104'000);  // less than an hour ahead
  traffic.add({"10.0.0.5", "203.0.113.9"}, 110'000);
  LiveHunt live({});
  feed(live, traffic, kStart + std::chrono::seconds{101'000});
  const LiveHunt::Counters counters = live.counters();
  EXPECT_EQ(counters.check_ins, 2U);
  EXPECT_EQ(counters.check_ins_expired, 1U);
  EXPECT_EQ(counters.future_refused, 1U);
}

TEST(LiveHunt, AllPairsGoWhenAllIsOld) {
  const Traffic traffic = network(4);
  LiveHunt live({});
  const Timestamp end = newest_of(traffic);
  feed(live, traffic, end);
  EXPECT_GT(live.counters().pairs, 200U);
  live.expire(end + std::chrono::hours{25});
  const LiveHunt::Counters counters = live.counters();
  EXPECT_EQ(counters.pairs, 0U);
  EXPECT_EQ(counters.check_ins, 0U);
  EXPECT_EQ(counters.connections, 0U);
  EXPECT_EQ(counters.sources, 0U);
  EXPECT_TRUE(live.pairs({}).empty());
  const auto analysis = live.analyze(go_on);
  ASSERT_TRUE(analysis);
  EXPECT_EQ(analysis->analyzed + analysis->skipped, 0U);
}

TEST(LiveHunt, PairsAreListedInOrderPageByPage) {
  const Traffic traffic = network(5);
  LiveHunt live({});
  feed(live, traffic, newest_of(traffic));
  LiveHunt::Filter filter;
  filter.limit = 7;
  std::vector<PairSummary> all;
  for (;;) {
    const auto page = live.pairs(filter);
    if (page.empty()) break;
    EXPECT_LE(page.size(), 7U);
    all.insert(all.end(), page.begin(), page.end());
    filter.after = page.back().key.to_string();
  }
  EXPECT_EQ(all.size(), live.count({}));
  EXPECT_EQ(all.size(), live.counters().pairs);
  EXPECT_TRUE(
      std::is_sorted(all.begin(), all.end(),
                     [](const PairSummary& a, const PairSummary& b) { return a.key < b.key; }));
  std::uint64_t connections = 0;
  for (const PairSummary& pair : all)
    connections += pair.connection_count;
  EXPECT_EQ(connections, traffic.events().size());
  filter = {};
  filter.source = Cidr::parse("10.0.0.7/32");
  ASSERT_EQ(live.count(filter), 3U);
  EXPECT_EQ(live.pairs(filter)[0].server_name, "cdn.evil.tld");
}

TEST(LiveHunt, OnePairIsScoredByItsIdentity) {
  const Traffic traffic = network(6);
  LiveHunt live({});
  feed(live, traffic, newest_of(traffic));
  CheckIns check_ins;
  const auto one = live.score_one("10.0.0.5->203.0.113.9:443/TCP", &check_ins);
  ASSERT_TRUE(one);
  EXPECT_TRUE(one->verdict.is_beacon);
  EXPECT_EQ(check_ins.size(), one->check_ins);
  const auto named = live.score_one("10.0.0.7->cdn.evil.tld:443/TCP", nullptr);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->destinations.size(), 3U);
  EXPECT_EQ(named->identity(), "10.0.0.7->cdn.evil.tld:443/TCP");
  const auto analysis = live.analyze(go_on);
  ASSERT_TRUE(analysis);
  for (const ScoredPair& pair : analysis->pairs) {
    const auto again = live.score_one(pair.identity(), nullptr);
    ASSERT_TRUE(again) << pair.identity();
    EXPECT_EQ(again->verdict.combined_score, pair.verdict.combined_score) << pair.identity();
  }
  EXPECT_FALSE(live.score_one("10.9.9.9->203.0.113.9:443/TCP", nullptr));
  EXPECT_FALSE(live.score_one("nonsense", nullptr));
}

TEST(LiveHunt, OfTooManyFindingsTheBestAreKept) {
  Traffic traffic;
  Random r(7);
  for (int i = 0; i < 30; ++i)
    traffic.add({"10.0.0." + std::to_string(i + 1), "203.0.113." + std::to_string(i + 1)},
                shortened(r, 40 + static_cast<std::size_t>(i), 60, 0.01 * i));
  LiveHunt::Settings settings;
  LiveHunt all(settings);
  settings.most_kept = 5;
  LiveHunt few(settings);
  feed(all, traffic, newest_of(traffic));
  feed(few, traffic, newest_of(traffic));
  const auto everything = all.analyze(go_on), best = few.analyze(go_on);
  ASSERT_EQ(best->pairs.size(), 5U);
  EXPECT_EQ(best->left_out, everything->pairs.size() - 5);
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_EQ(best->pairs[i].verdict.combined_score, everything->pairs[i].verdict.combined_score);
}

TEST(LiveHunt, AnAnalysisStopsWhenToldTo) {
  const Traffic traffic = network(8);
  LiveHunt live({});
  feed(live, traffic, newest_of(traffic));
  EXPECT_FALSE(live.analyze([] { return false; }));
  EXPECT_TRUE(live.analyze(go_on));
}

TEST(LiveHunt, OpenFlowsAreListedUntilTheyClose) {
  LiveHunt live({});
  FlowEvent e;
  e.pair = *PairKey::parse("10.0.0.5->203.0.113.9:443/TCP");
  e.kind = FlowEventKind::open;
  e.source_port = 50'000;
  e.time = kStart;
  const Timestamp now = kStart + kHour;
  live.sink("a", now)->add(e);
  live.sink("b", now)->add(e);
  e.kind = FlowEventKind::alive;
  e.begins_check_in = false;
  e.duration = kHour;
  e.bytes_out = 1000;
  e.server_name = "cdn.evil.tld";
  live.sink("a", now)->add(e);
  auto open = live.open_flows(Duration{0}, 10);
  ASSERT_EQ(open.size(), 2U);
  open = live.open_flows(kHour, 10);
  ASSERT_EQ(open.size(), 1U);  // of b's flow nobody said that it went on
  const auto a = open.begin();
  EXPECT_EQ(a->edge, "a");
  EXPECT_EQ(a->bytes_out, 1000U);
  EXPECT_EQ(a->server_name, "cdn.evil.tld");
  EXPECT_EQ(a->last_seen, now);
  EXPECT_TRUE(live.open_flows(kHour * 2, 10).empty());
  e.kind = FlowEventKind::close;
  live.sink("a", now)->add(e);
  EXPECT_EQ(live.open_flows(Duration{0}, 10).size(), 1U);
  live.expire(now + kHour + kHour);
  EXPECT_TRUE(live.open_flows(Duration{0}, 10).empty());
}

TEST(LiveHunt, MoreOpenFlowsThanAllowedAreCounted) {
  LiveHunt::Settings settings;
  settings.most_open_flows = 10;
  LiveHunt live(settings);
  FlowEvent e;
  e.kind = FlowEventKind::open;
  e.pair = *PairKey::parse("10.0.0.5->203.0.113.9:443/TCP");
  e.time = kStart;
  {
    const auto sink = live.sink("a", kStart);
    for (std::uint16_t port = 1; port <= 15; ++port) {
      e.source_port = port;
      sink->add(e);
    }
  }
  EXPECT_EQ(live.open_flows(Duration{0}, 100).size(), 10U);
  std::uint64_t total = 0;
  EXPECT_EQ(live.open_flows(Duration{0}, 3, &total).size(), 3U);
  EXPECT_EQ(total, 10U);
  EXPECT_EQ(live.counters().open_flows_dropped, 5U);
}

// Adds, expiries, evictions, analyses and questions at once; what is left is as if only the
// retained events had ever been. TSan runs this.
TEST(LiveHunt, WhateverHappensAtOnceTheResultIsThatOfAFreshHunt) {
  Traffic traffic = network(9);
  traffic.sort();
  LiveHunt::Settings settings;
  settings.retention = kHour;
  LiveHunt live(settings);
  const Timestamp end = newest_of(traffic);
  std::atomic<bool> done{false};
  std::atomic<std::int64_t> clock{kStart.time_since_epoch().count()};
  std::thread analyst([&] {
    Random r(10);
    while (!done) {
      const auto analysis = live.analyze([&] { return !done; });
      if (analysis) {
        for (ScoredPair pair : analysis->pairs) {
          live.complete(pair);
          live.score_one(pair.identity(), nullptr);
        }
      }
      live.pairs({});
      live.counters();
    }
  });
  std::thread keeper([&] {
    while (!done) {
      live.expire(Timestamp{Duration{clock.load()}});
      live.set_settings(settings);
      live.open_flows(Duration{0}, 10);
    }
  });
  {
    std::unique_ptr<FlowSink> sink;
    std::size_t in_batch = 0;
    for (const FlowEvent& e : traffic.events()) {
      if (in_batch++ % 100 == 0) {
        sink = live.sink("edge", e.time);
        clock = e.time.time_since_epoch().count();
      }
      sink->add(e);
    }
  }
  done = true;
  analyst.join();
  keeper.join();
  live.expire(end);
  const auto analysis = live.analyze(go_on);
  ASSERT_TRUE(analysis);
  const auto expected = hunted(traffic, settings.hunt, end - kHour, settings.least_kept);
  ASSERT_EQ(analysis->pairs.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    expect_same(analysis->pairs[i], expected[i]);
}

TEST(LiveHunt, UnderItsCeilingTheLeastInterestingGoWhileItIsAnalysed) {
  LiveHunt::Settings settings;
  settings.hunt.memory_limit = 2 << 20;
  LiveHunt live(settings);
  std::atomic<bool> done{false};
  std::thread analyst([&] {
    while (!done)
      live.analyze([&] { return !done; });
  });
  {
    const auto sink = live.sink("edge", kStart + kHour);
    FlowEvent beacon, other;
    beacon.pair = *PairKey::parse("10.0.0.5->203.0.113.9:443/TCP");
    for (std::uint32_t i = 0; i < 60'000; ++i) {
      other.pair.source = IpAddress::v4(0x0a000000U + i % 1000);
      other.pair.destination = IpAddress::v4(0x0b000000U + i);
      other.time = kStart + std::chrono::milliseconds{i * 50};
      sink->add(other);
      if (i % 600 != 0) continue;
      beacon.time = other.time;
      sink->add(beacon);
    }
  }
  done = true;
  analyst.join();
  const LiveHunt::Counters counters = live.counters();
  EXPECT_GT(counters.legs_evicted, 0U);
  EXPECT_EQ(counters.legs_evicted, counters.check_ins_evicted);
  const auto analysis = live.analyze(go_on);
  ASSERT_EQ(analysis->pairs.size(), 1U);
  EXPECT_EQ(analysis->pairs[0].check_ins, 100U);
}

}  // namespace
}  // namespace beaconry
