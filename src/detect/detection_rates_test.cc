// How often the score alone, before any context, is right, over many seeded series. The bounds
// leave room for other constants, not for another detector.
#include <gtest/gtest.h>

#include <string>

#include "detect/scorer.h"
#include "detect/test_series.h"

namespace beaconry {
namespace {

using namespace test_series;

constexpr double kAlert = 0.7;

// Alarms among `count` series of 5 to 500 visits, sizes of every kind in turn.
template <class Family>
int false_alarms(std::uint64_t seed, int count, Family family) {
  Scorer scorer{DetectionSettings{}};
  Random r(seed);
  int alarms = 0;
  for (int i = 0; i < count; ++i) {
    const auto visits = static_cast<std::size_t>(r.log_uniform(5, 501));
    constexpr Sizes kSizes[] = {Sizes::unknown, Sizes::any, Sizes::mostly_one, Sizes::one};
    const Series series =
        series_of(family(r, visits), kSizes[i % 4], static_cast<std::uint64_t>(i));
    if (series.size() < Scorer::kLeastCheckIns) continue;
    alarms += scorer.measure(series).combined_score >= kAlert;
  }
  ::testing::Test::RecordProperty("alarms_of_seed_" + std::to_string(seed), alarms);
  return alarms;
}

TEST(FalseAlarms, MemorylessVisits) {
  EXPECT_LE(false_alarms(
                1, 4000,
                [](Random& r, std::size_t n) { return poisson(r, n, r.log_uniform(0.5, 3600)); }),
            2);
}

// Each visit keeps the next away for a while, and gathering does the same to dense ones.
TEST(FalseAlarms, VisitsWithADeadTime) {
  EXPECT_LE(false_alarms(2, 2000,
                         [](Random& r, std::size_t n) {
                           const double mean = r.log_uniform(2, 600);
                           return shifted_exponential(r, n, mean * r.uniform(0, 0.4), mean);
                         }),
            4);
  EXPECT_LE(false_alarms(3, 2000,
                         [](Random& r, std::size_t n) {
                           const double mean = r.log_uniform(0.5, 5);
                           return shifted_exponential(r, n, r.uniform(0, 0.4) * mean, mean);
                         }),
            4);
}

TEST(FalseAlarms, LogNormalVisits) {
  EXPECT_LE(false_alarms(4, 4000,
                         [](Random& r, std::size_t n) {
                           return log_normal(r, n, r.log_uniform(2, 3600), r.uniform(0.8, 2.2));
                         }),
            2);
}

TEST(FalseAlarms, HeavyTailedVisits) {
  EXPECT_LE(false_alarms(5, 2000,
                         [](Random& r, std::size_t n) {
                           return pareto(r, n, r.log_uniform(0.5, 60), r.uniform(0.6, 1));
                         }),
            4);
}

TEST(FalseAlarms, PeopleWhoBrowse) {
  EXPECT_EQ(false_alarms(6, 3000, [](Random& r, std::size_t n) { return browsing(r, n); }), 0);
}

TEST(FalseAlarms, RatesThatChangeOverTheDay) {
  EXPECT_LE(false_alarms(7, 2000,
                         [](Random& r, std::size_t n) {
                           Times times;
                           double now = 0;
                           const double mean = r.log_uniform(20, 600), busy = r.uniform(0.5, 1);
                           while (times.size() < n) {
                             now += r.exponential(mean);
                             const double share =
                                 1 - busy / 2 * (1 + std::sin(2 * std::numbers::pi * now / 86'400));
                             if (r.chance(share)) times.push_back(now);
                           }
                           return times;
                         }),
            1);
}

TEST(FalseAlarms, QuickAndSlowVisitsMixed) {
  EXPECT_LE(false_alarms(8, 1000,
                         [](Random& r, std::size_t n) {
                           const double mean = r.log_uniform(5, 600), slower = r.log_uniform(2, 50);
                           return renewal(n, [&] {
                             return r.exponential(r.chance(0.5) ? mean : slower * mean);
                           });
                         }),
            1);
}

// Percent of 100 seeded implants found at 20, 50 and 200 check-ins; mostly one size.
struct Found {
  int at_20 = 0, at_50 = 0, at_200 = 0;
};

template <class Family>
Found found(Family family) {
  Scorer scorer{DetectionSettings{}};
  const auto rate = [&](std::size_t check_ins) {
    int hits = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      Random r(seed);
      Times times = family(r, check_ins);
      times.resize(std::min(times.size(), check_ins));
      hits += scorer.measure(series_of(times, Sizes::mostly_one, seed)).combined_score >= kAlert;
    }
    ::testing::Test::RecordProperty("found_at_" + std::to_string(check_ins), hits);
    return hits;
  };
  return {rate(20), rate(50), rate(200)};
}

TEST(DetectionRate, FixedSleeps) {
  const Found f =
      found([](Random& r, std::size_t n) { return fixed(n, r.log_uniform(2, 86'400)); });
  EXPECT_EQ(f.at_20, 100);
  EXPECT_EQ(f.at_50, 100);
  EXPECT_EQ(f.at_200, 100);
}

TEST(DetectionRate, CobaltStrikeWithTwentyPercent) {
  const Found f =
      found([](Random& r, std::size_t n) { return shortened(r, n, r.log_uniform(5, 7200), 0.2); });
  EXPECT_GE(f.at_20, 98);
  EXPECT_GE(f.at_50, 100);
  EXPECT_EQ(f.at_200, 100);
}

TEST(DetectionRate, CobaltStrikeWithFiftyPercent) {
  const Found f =
      found([](Random& r, std::size_t n) { return shortened(r, n, r.log_uniform(5, 7200), 0.5); });
  EXPECT_GE(f.at_20, 65);
  EXPECT_GE(f.at_50, 97);
  EXPECT_EQ(f.at_200, 100);
}

// A window of 60 % holds only a part of it: it takes more than 50 check-ins.
TEST(DetectionRate, CobaltStrikeWithNinetyPercent) {
  const Found f =
      found([](Random& r, std::size_t n) { return shortened(r, n, r.log_uniform(30, 7200), 0.9); });
  EXPECT_GE(f.at_200, 93);
}

TEST(DetectionRate, EmpireWithFiftyPercent) {
  const Found f =
      found([](Random& r, std::size_t n) { return around(r, n, r.log_uniform(5, 7200), 0.5); });
  EXPECT_GE(f.at_50, 80);
  EXPECT_GE(f.at_200, 99);
}

TEST(DetectionRate, HalfOfTheCheckInsLost) {
  const Found even = found(
      [](Random& r, std::size_t n) { return lost(r, fixed(4 * n, r.log_uniform(5, 3600)), 0.5); });
  EXPECT_GE(even.at_20, 90);
  EXPECT_GE(even.at_50, 99);
  EXPECT_EQ(even.at_200, 100);
  const Found jittered = found([](Random& r, std::size_t n) {
    return lost(r, shortened(r, 4 * n, r.log_uniform(5, 3600), 0.2), 0.5);
  });
  EXPECT_GE(jittered.at_50, 85);
  EXPECT_GE(jittered.at_200, 99);
}

TEST(DetectionRate, Stints) {
  const Found f = found([](Random& r, std::size_t n) {
    const double sleep = r.log_uniform(5, 600);
    return stints(shortened(r, n, sleep, 0.2), 20 * sleep, 300 * sleep);
  });
  EXPECT_GE(f.at_20, 97);
  EXPECT_GE(f.at_50, 99);
  EXPECT_GE(f.at_200, 99);
}

TEST(DetectionRate, TwoSleepsInTurn) {
  const Found f = found([](Random& r, std::size_t n) { return alternating(r, n, 9, 14, 0.1); });
  EXPECT_EQ(f.at_20, 100);
  EXPECT_EQ(f.at_200, 100);
}

}  // namespace
}  // namespace beaconry
