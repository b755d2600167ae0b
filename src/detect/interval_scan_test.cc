#include "detect/interval_scan.h"

#include <gtest/gtest.h>

#include "detect/evidence.h"
#include "detect/test_series.h"

namespace beaconry {
namespace {

using namespace test_series;

Evidence evidence_of(const Times& times) {
  Evidence e;
  e.assign(series_of(times), DetectionSettings{});
  return e;
}

TEST(IntervalScan, FindsOneLengthAndItsWindow) {
  const IntervalScan scan = evidence_of(fixed(20, 60)).scan;
  EXPECT_DOUBLE_EQ(scan.period, 60);
  EXPECT_DOUBLE_EQ(scan.share, 1);
  EXPECT_DOUBLE_EQ(scan.width, 0.03);
  // All 19 intervals in a window that holds ln(1.03)/e of memoryless ones, less the search.
  EXPECT_NEAR(scan.evidence, 19 * -std::log(0.3679 * std::log(1.03)) - std::log(4 * 19.0), 1e-3);
}

TEST(IntervalScan, TakesTheWidthThatFitsTheJitter) {
  Random r(1);
  EXPECT_DOUBLE_EQ(evidence_of(shortened(r, 200, 60, 0.05)).scan.width, 0.10);
  EXPECT_DOUBLE_EQ(evidence_of(shortened(r, 200, 60, 0.18)).scan.width, 0.25);
  const IntervalScan wide = evidence_of(around(r, 200, 600, 0.2)).scan;
  EXPECT_DOUBLE_EQ(wide.width, 0.60);
  EXPECT_GT(wide.share, 0.95);
  EXPECT_GE(wide.low, 480);
  EXPECT_LE(wide.high, 720);
}

TEST(IntervalScan, SeesARhythmAmongAsManyOtherVisits) {
  Random r(2);
  const IntervalScan scan =
      evidence_of(renewal(100, [&] { return r.chance(0.5) ? 60 : r.exponential(60); })).scan;
  EXPECT_NEAR(scan.period, 60, 0.5);
  EXPECT_GT(scan.evidence, 50);
}

TEST(IntervalScan, IsEnoughFromNineCheckInsOn) {
  Random r(3);
  for (int i = 0; i < 50; ++i)
    EXPECT_GT(evidence_of(shortened(r, 9, 205, 0.04)).scan.evidence, 11);
}

// The null hypothesis holds: the bound on its tail is a bound. With 4 nats one in 55 may pass.
TEST(IntervalScan, MemorylessAndBroaderArrivalsGiveNoEvidence) {
  Random r(4);
  int above_4 = 0, above_8 = 0;
  constexpr int kSeries = 3000;
  for (int i = 0; i < kSeries; ++i) {
    const auto count = static_cast<std::size_t>(r.log_uniform(6, 300));
    const double evidence =
        evidence_of(i % 2 ? poisson(r, count, r.log_uniform(5, 3600))
                          : log_normal(r, count, r.log_uniform(5, 3600), r.uniform(1.1, 2.5)))
            .scan.evidence;
    above_4 += evidence > 4;
    above_8 += evidence > 8;
  }
  EXPECT_LE(above_4, kSeries / 55);
  EXPECT_LE(above_8, 3);  // exp(-8) of 3,000 is 1
}

TEST(IntervalScan, GatheringDoesNotMakeDenseArrivalsNarrow) {
  Random r(5);
  for (int i = 0; i < 300; ++i) {
    const double mean = r.log_uniform(0.3, 3);
    EXPECT_LT(evidence_of(poisson(r, 300, mean)).scan.evidence, 8) << mean;
  }
}

TEST(IntervalScan, SumsOfIntervalsHaveANarrowerNull) {
  Random r(6);
  for (unsigned lag = 2; lag <= 3; ++lag) {
    for (int i = 0; i < 500; ++i) {
      std::vector<double> sums;
      for (std::size_t n = 0; n < 100; ++n) {
        double sum = 0;
        for (unsigned k = 0; k < lag; ++k)
          sum += r.exponential(60);
        sums.push_back(sum);
      }
      std::sort(sums.begin(), sums.end());
      EXPECT_LT(scan_intervals(sums, 0, lag).evidence, 8);
    }
  }
}

TEST(IntervalScan, NoIntervalsGiveNothing) {
  const IntervalScan scan = scan_intervals({}, 1);
  EXPECT_EQ(scan.period, 0);
  EXPECT_EQ(scan.evidence, 0);
}

TEST(Divergence, IsZeroAtAndBelowChance) {
  EXPECT_EQ(divergence(0.2, 0.2), 0);
  EXPECT_EQ(divergence(0.1, 0.2), 0);
  EXPECT_DOUBLE_EQ(divergence(1, 0.2), std::log(5.0));
  EXPECT_NEAR(divergence(0.5, 0.2), 0.5 * std::log(2.5) + 0.5 * std::log(0.625), 1e-12);
}

}  // namespace
}  // namespace beaconry
