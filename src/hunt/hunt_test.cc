#include "hunt/hunt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "hunt/policy.h"
#include "hunt/test_network.h"

namespace beaconry {
namespace {

using namespace test_series;

struct Hunted {
  std::unique_ptr<Hunt> hunt;
  HuntReport report;

  const ScoredPair* find(const std::string& key, PairKind kind = PairKind::address) const {
    for (const ScoredPair& pair : report.pairs) {
      if (pair.kind == kind && pair.key.to_string() == key) return &pair;
    }
    return nullptr;
  }
  const ScoredPair* named(const std::string& name) const {
    for (const ScoredPair& pair : report.pairs) {
      if (pair.kind == PairKind::named && pair.server_name == name) return &pair;
    }
    return nullptr;
  }
};

// Events go to the sinks in turn, `block` at a time, as threads that parse one log do.
Hunted hunted(const Traffic& traffic, const HuntSettings& settings = {}, std::size_t block = 100) {
  Hunted h;
  h.hunt = std::make_unique<Hunt>(settings);
  const auto sinks = h.hunt->sinks();
  for (std::size_t i = 0; i < traffic.events().size(); ++i)
    sinks[i / block % sinks.size()]->add(traffic.events()[i]);
  h.hunt->score(h.report);
  return h;
}

double adjustment(const ScoredPair& pair, std::string_view name) {
  for (const Adjustment& a : pair.verdict.adjustments) {
    if (a.name == name) return a.contribution;
  }
  return 0;
}

const Traffic::Call kImplant{"10.0.0.5", "203.0.113.9"};
const char* const kImplantKey = "10.0.0.5->203.0.113.9:443/TCP";

TEST(Hunt, FindsAnImplantAmongPeople) {
  Traffic traffic;
  Random r(1);
  traffic.add_hosts(200);
  for (int i = 0; i < 30; ++i) {
    traffic.add({"10.0.1." + std::to_string(i + 1), "198.51.100.7"}, browsing(r, 60));
  }
  traffic.add(kImplant, shortened(r, 100, 60, 0.3));
  const Hunted h = hunted(traffic);
  ASSERT_FALSE(h.report.pairs.empty());
  EXPECT_EQ(h.report.pairs[0].key.to_string(), kImplantKey);
  EXPECT_TRUE(h.report.pairs[0].verdict.is_beacon);
  EXPECT_EQ(h.report.pairs[0].check_ins, 100U);
  EXPECT_EQ(totals(h.report).beacons, 1U);
  EXPECT_EQ(h.report.pairs_seen, 231U);
  ASSERT_EQ(h.report.unscored.size(), 1U);
  EXPECT_EQ(h.report.unscored[0].count, 200U);
}

TEST(Hunt, ANameStandsForItsRotatingAddresses) {
  Traffic traffic;
  Random r(2);
  traffic.add_hosts(100);
  const Times times = shortened(r, 120, 60, 0.2);
  for (std::size_t i = 0; i < times.size(); ++i) {
    Traffic::Call call = kImplant;
    call.destination = "203.0.113." + std::to_string(1 + (i * i + 3 * i) % 40);
    call.name = "cdn.evil.example";
    traffic.add(call, times[i]);
  }
  const Hunted h = hunted(traffic);
  const ScoredPair* name = h.named("cdn.evil.example");
  ASSERT_NE(name, nullptr);
  EXPECT_TRUE(name->verdict.is_beacon);
  EXPECT_EQ(name->hidden, Hidden::no);
  EXPECT_EQ(name->check_ins, 120U);
  EXPECT_EQ(h.hunt->check_ins(*name).size(), 120U);
  EXPECT_EQ(totals(h.report).beacons, 1U);
  // Each address is found under its own key, however seldom it was used.
  EXPECT_GT(name->destinations.size(), 5U);
  for (const IpAddress& address : name->destinations) {
    PairKey key = name->key;
    key.destination = address;
    const ScoredPair* pair = h.find(key.to_string());
    ASSERT_NE(pair, nullptr) << key.to_string();
    EXPECT_EQ(pair->hidden, Hidden::represented);
    EXPECT_EQ(pair->represented_by, "cdn.evil.example");
    double sum = 0;
    for (const SignalValue& s : pair->verdict.signals)
      sum += s.contribution;
    for (const Adjustment& a : pair->verdict.adjustments)
      sum += a.contribution;
    EXPECT_NEAR(sum, pair->verdict.combined_score, 1e-9);
  }
}

TEST(Hunt, ANameDoesNotStandForAnAddressThatDoesOtherThings) {
  Traffic traffic;
  Random r(3);
  Traffic::Call named = kImplant;
  named.name = "cdn.evil.example";
  traffic.add(named, shortened(r, 60, 60, 0.2));
  traffic.add(kImplant, browsing(r, 300));
  const Hunted h = hunted(traffic);
  ASSERT_NE(h.named("cdn.evil.example"), nullptr);
  ASSERT_NE(h.find(kImplantKey), nullptr);
  EXPECT_NE(h.find(kImplantKey)->hidden, Hidden::represented);
}

TEST(Hunt, AddressesOutsideTheTimeWindowAreLeftOut) {
  Traffic traffic;
  for (int i = 0; i < 100; ++i) {
    Traffic::Call call = kImplant;
    call.destination = "203.0.113." + std::to_string(1 + i);
    call.name = "cdn.evil.example";
    traffic.add(call, i * 60.0);
  }
  HuntSettings settings;
  settings.detection.gates.time_window = std::chrono::minutes{30};
  const Hunted h = hunted(traffic, settings);
  const ScoredPair* name = h.named("cdn.evil.example");
  ASSERT_NE(name, nullptr);
  EXPECT_EQ(name->check_ins, 31U);
  EXPECT_EQ(h.find("10.0.0.5->203.0.113.1:443/TCP"), nullptr);
  EXPECT_NE(h.find("10.0.0.5->203.0.113.100:443/TCP"), nullptr);
}

TEST(Hunt, LookupsOfANameThatIsContactedAreLoweredAndOfOthersAreNot) {
  Traffic traffic;
  Random r(4);
  traffic.add_hosts(200);
  const Times times = shortened(r, 100, 60, 0.2);
  Traffic::Call call = kImplant;
  call.name = "www.evil.example";
  traffic.add(call, times);
  Traffic::Call lookup{"10.0.0.5",    "9.9.9.9",      53,
                       Protocol::udp, "evil.example", NameKind::dns_domain};
  traffic.add(lookup, times);
  lookup.source = "10.0.0.6";
  lookup.name = "tunnel.example";
  traffic.add(lookup, shortened(r, 100, 90, 0.2));
  const Hunted h = hunted(traffic);
  ASSERT_NE(h.named("evil.example"), nullptr);
  ASSERT_NE(h.named("tunnel.example"), nullptr);
  EXPECT_LT(adjustment(*h.named("evil.example"), "lookup"), -0.3);
  EXPECT_FALSE(h.named("evil.example")->verdict.is_beacon);
  EXPECT_EQ(adjustment(*h.named("tunnel.example"), "lookup"), 0);
  EXPECT_TRUE(h.named("tunnel.example")->verdict.is_beacon);
  EXPECT_TRUE(h.named("www.evil.example")->verdict.is_beacon);
}

TEST(Hunt, AResolverThatAsksForOthersIsNotTheFinding) {
  Traffic traffic;
  Random r(5);
  const Times times = shortened(r, 100, 60, 0.2);
  Traffic::Call lookup{"10.0.0.5",    "10.0.0.1",       53,
                       Protocol::udp, "tunnel.example", NameKind::dns_domain};
  traffic.add(lookup, times);
  lookup.source = "10.0.0.1";
  lookup.destination = "9.9.9.9";
  traffic.add(lookup, times);
  const Hunted h = hunted(traffic);
  const ScoredPair* asks = h.find("10.0.0.5->10.0.0.1:53/UDP");
  const ScoredPair* forwards = h.find("10.0.0.1->9.9.9.9:53/UDP");
  ASSERT_NE(asks, nullptr);
  ASSERT_NE(forwards, nullptr);
  EXPECT_LT(adjustment(*forwards, "resolver"), -0.3);
  EXPECT_EQ(adjustment(*asks, "resolver"), 0);
  EXPECT_GT(asks->verdict.combined_score, forwards->verdict.combined_score);
}

TEST(Hunt, AMonitorThatPollsManyHostsIsLowered) {
  Traffic traffic;
  Random r(6);
  traffic.add_hosts(200);
  for (int i = 0; i < 30; ++i) {
    traffic.add({"10.0.0.2", "198.51.101." + std::to_string(i + 1), 8443}, around(r, 60, 60, 0.02));
  }
  traffic.add(kImplant, around(r, 60, 60, 0.02));
  const Hunted h = hunted(traffic);
  const ScoredPair* polled = h.find("10.0.0.2->198.51.101.7:8443/TCP");
  ASSERT_NE(polled, nullptr);
  EXPECT_LT(adjustment(*polled, "fan_out"), -0.4);
  EXPECT_FALSE(polled->verdict.is_beacon);
  EXPECT_TRUE(h.find(kImplantKey)->verdict.is_beacon);
  EXPECT_EQ(totals(h.report).beacons, 1U);
}

TEST(Hunt, PopularityNeedsHosts) {
  const auto score = [](int hosts, int users) {
    Traffic traffic;
    Random r(7);
    traffic.add_hosts(hosts);
    for (int i = 0; i < users; ++i) {
      traffic.add({"10.0.2." + std::to_string(i + 1), "203.0.113.9"}, shortened(r, 60, 60, 0.2));
    }
    return hunted(traffic).find("10.0.2.1->203.0.113.9:443/TCP")->verdict.combined_score;
  };
  EXPECT_GE(score(8, 2), 0.7);      // 2 of 10 hosts
  EXPECT_LT(score(400, 100), 0.7);  // 100 of 500
}

TEST(Hunt, NtpIsLoweredAndHiddenByTheBaseline) {
  Traffic traffic;
  traffic.add({"10.0.0.5", "203.0.113.123", 123, Protocol::udp}, fixed(100, 64));
  HuntSettings settings;
  Hunted h = hunted(traffic, settings);
  apply_baseline(settings.baseline, h.report);
  ASSERT_EQ(h.report.pairs.size(), 1U);
  EXPECT_LT(adjustment(h.report.pairs[0], "benign_baseline"), -0.5);
  EXPECT_FALSE(h.report.pairs[0].verdict.is_beacon);
  EXPECT_EQ(h.report.pairs[0].hidden, Hidden::baseline);
  EXPECT_EQ(h.report.pairs[0].hidden_reason, "benign baseline: NTP");

  settings.baseline = BenignBaseline(std::vector<BenignPattern>{});
  EXPECT_TRUE(hunted(traffic, settings).report.pairs[0].verdict.is_beacon);
}

TEST(Hunt, UnsetGatesShutNothingOut) {
  Traffic traffic;
  traffic.add(kImplant, fixed(20, 2));  // 40 seconds
  Traffic::Call slow = kImplant;
  slow.source = "10.0.0.6";
  traffic.add(slow, fixed(12, 43'200));  // 6 days
  const Hunted h = hunted(traffic);
  ASSERT_EQ(h.report.pairs.size(), 2U);
  for (const ScoredPair& pair : h.report.pairs) {
    EXPECT_TRUE(pair.verdict.is_beacon) << pair.key.to_string();
    EXPECT_EQ(pair.hidden, Hidden::no);
  }
}

TEST(Hunt, ASetGateIsHonouredAndNamed) {
  Traffic traffic;
  traffic.add(kImplant, fixed(20, 60));
  const auto gated = [&](auto set) {
    HuntSettings settings;
    set(settings.detection.gates);
    const Hunted h = hunted(traffic, settings);
    const ScoredPair& pair = h.report.pairs.at(0);
    EXPECT_EQ(pair.verdict.is_beacon, pair.hidden == Hidden::no);
    EXPECT_EQ(pair.hidden == Hidden::gated, !pair.hidden_reason.empty());
    return pair.hidden_reason;
  };
  using std::chrono::seconds;
  EXPECT_EQ(gated([](DetectionGates& g) { g.min_connections = 21; }),
            "min_connections 21, as configured");
  EXPECT_EQ(gated([](DetectionGates& g) { g.min_connections = 20; }), "");
  EXPECT_EQ(gated([](DetectionGates& g) { g.min_duration = seconds{1141}; }),
            "min_duration 19m 1s, as configured");
  EXPECT_EQ(gated([](DetectionGates& g) { g.min_duration = seconds{1140}; }), "");
  EXPECT_EQ(gated([](DetectionGates& g) { g.min_beacon_interval = seconds{61}; }),
            "min_beacon_interval 61.0s, as configured");
  EXPECT_EQ(gated([](DetectionGates& g) { g.max_beacon_interval = seconds{59}; }),
            "max_beacon_interval 59.0s, as configured");
  EXPECT_EQ(gated([](DetectionGates& g) {
              g.min_beacon_interval = seconds{59};
              g.max_beacon_interval = seconds{61};
            }),
            "");
}

TEST(Hunt, OnlyTheTimeWindowBeforeTheNewestEventCounts) {
  Traffic traffic;
  Random r(8);
  traffic.add(kImplant, fixed(60, 60));
  Traffic::Call other = kImplant;
  other.source = "10.0.0.6";
  for (const double t : fixed(60, 60))
    traffic.add(other, t + 7200);
  HuntSettings settings;
  settings.detection.gates.time_window = std::chrono::hours{1};
  const Hunted h = hunted(traffic, settings);
  EXPECT_EQ(h.find(kImplantKey), nullptr);
  ASSERT_NE(h.find("10.0.0.6->203.0.113.9:443/TCP"), nullptr);
}

TEST(Hunt, OpensAndBurstsAreJudgedApart) {
  Traffic traffic;
  Random r(9);
  traffic.add(kImplant, browsing(r, 80));
  Traffic::Call inside = kImplant;
  inside.burst = true;
  inside.out = 64;
  for (const double t : fixed(100, 47))
    traffic.add(inside, t + 20);
  const Hunted h = hunted(traffic);
  const ScoredPair* pair = h.find(kImplantKey);
  ASSERT_NE(pair, nullptr);
  EXPECT_EQ(pair->judged, Kinds::bursts);
  EXPECT_TRUE(pair->verdict.is_beacon);
  EXPECT_NEAR(pair->verdict.interval_seconds, 47, 0.1);
  const CheckIns judged = h.hunt->check_ins(*pair);
  EXPECT_TRUE(
      std::all_of(judged.begin(), judged.end(), [](const CheckIn& c) { return c.inside_flow; }));
}

TEST(Hunt, AFewBurstsDoNotPartASeries) {
  Traffic traffic;
  Traffic::Call call = kImplant;
  const Times times = fixed(100, 60);
  for (std::size_t i = 0; i < times.size(); ++i) {
    call.burst = i % 10 == 0;
    traffic.add(call, times[i]);
  }
  const Hunted h = hunted(traffic);
  EXPECT_EQ(h.find(kImplantKey)->judged, Kinds::all);
  EXPECT_EQ(h.find(kImplantKey)->burst_check_ins, 10U);
}

// A network with some of everything.
Traffic mixed_traffic() {
  Traffic traffic;
  Random r(10);
  traffic.add_hosts(60);
  for (int i = 0; i < 20; ++i) {
    const std::string host = "10.0.3." + std::to_string(i + 1);
    traffic.add({host, "198.51.100.7", 443, Protocol::tcp, "www.popular.example"}, browsing(r, 50));
    traffic.add({host, "198.51.100.8", 443, Protocol::tcp, "telemetry.popular.example"},
                around(r, 50, 300, 0.05));
  }
  const Times times = shortened(r, 120, 60, 0.2);
  for (std::size_t i = 0; i < times.size(); ++i) {
    traffic.add({"10.0.0.5", "203.0.113." + std::to_string(1 + i % 8), 443, Protocol::tcp,
                 "cdn.evil.example"},
                times[i]);
  }
  // Two names on one address, equally often.
  for (const char* name : {"a.shared.example", "b.other.example"}) {
    traffic.add({"10.0.0.6", "203.0.113.50", 443, Protocol::tcp, name}, shortened(r, 40, 100, 0.1));
  }
  return traffic;
}

void expect_same(const Hunted& a, const Hunted& b) {
  ASSERT_EQ(a.report.pairs.size(), b.report.pairs.size());
  for (std::size_t i = 0; i < a.report.pairs.size(); ++i) {
    ScoredPair x = a.report.pairs[i], y = b.report.pairs[i];
    a.hunt->complete(x);
    b.hunt->complete(y);
    ASSERT_EQ(x.identity(), y.identity()) << i;
    EXPECT_EQ(x.key, y.key);
    EXPECT_EQ(x.destinations, y.destinations);
    EXPECT_EQ(x.verdict.combined_score, y.verdict.combined_score) << x.identity();
    EXPECT_EQ(x.verdict.summary, y.verdict.summary) << x.identity();
    EXPECT_EQ(x.check_ins, y.check_ins);
    EXPECT_EQ(x.connection_count, y.connection_count);
    EXPECT_EQ(x.bytes_out, y.bytes_out);
    EXPECT_EQ(x.uids, y.uids);
    EXPECT_EQ(x.hidden_reason, y.hidden_reason);
  }
}

TEST(Hunt, ThreadsDoNotChangeTheResult) {
  const Traffic traffic = mixed_traffic();
  HuntSettings one;
  one.threads = 1;
  const Hunted alone = hunted(traffic, one);
  for (const unsigned threads : {2U, 3U, 7U}) {
    HuntSettings several;
    several.threads = threads;
    for (const std::size_t block : {1U, 13U, 500U})
      expect_same(alone, hunted(traffic, several, block));
  }
}

TEST(Hunt, TheOrderOfEventsDoesNotChangeTheResult) {
  Traffic traffic = mixed_traffic();
  const Hunted in_order = hunted(traffic);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    traffic.shuffle(seed);
    expect_same(in_order, hunted(traffic));
  }
}

TEST(Hunt, NothingReadIsNothingFound) {
  const Hunted h = hunted(Traffic());
  EXPECT_TRUE(h.report.pairs.empty());
  EXPECT_EQ(h.report.pairs_seen, 0U);
  EXPECT_FALSE(h.report.first_time.has_value());
}

}  // namespace
}  // namespace beaconry
