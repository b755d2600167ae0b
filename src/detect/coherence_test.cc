#include "detect/coherence.h"

#include <gtest/gtest.h>

#include "detect/test_series.h"

namespace beaconry {
namespace {

using namespace test_series;

Coherence coherence_of(const Times& times, double estimate) {
  Intervals intervals;
  intervals.assign(series_of(times), std::chrono::seconds{1});
  Coherence c;
  c.assign(intervals, estimate);
  return c;
}

TEST(Coherence, AScheduleIsLockedHoweverLateItsVisitsAre) {
  Random r(1);
  for (int i = 0; i < 100; ++i) {
    const Coherence c = coherence_of(clock_locked(r, 200, 300, 60), 300);
    EXPECT_TRUE(c.locked);
    EXPECT_NEAR(c.period, 300, 0.2);
    EXPECT_GT(c.resultant, 0.9);
    EXPECT_LT(c.lag1, -0.2);  // a late visit is followed by a short interval
    EXPECT_NEAR(c.phase_spread, 60 / std::sqrt(12), 4);
  }
}

TEST(Coherence, MissedVisitsDoNotBreakTheLock) {
  Random r(2);
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(coherence_of(lost(r, clock_locked(r, 300, 300, 30), 0.2), 300).locked);
}

TEST(Coherence, ASleepLoopDriftsAwayWhateverItsJitter) {
  Random r(3);
  int locked = 0;
  for (int i = 0; i < 600; ++i) {
    const double jitter = r.uniform(0.02, 0.9);
    const auto count = static_cast<std::size_t>(r.log_uniform(60, 400));
    locked += coherence_of(shortened(r, count, 60, jitter), 60 * (1 - jitter / 2)).locked;
  }
  EXPECT_LE(locked, 3);
}

TEST(Coherence, FewCheckInsCannotTell) {
  Random r(4);
  EXPECT_FALSE(coherence_of(clock_locked(r, 15, 300, 30), 300).locked);
}

TEST(Coherence, AFixedSleepIsCoherentButSaysNothingOfAClock) {
  const Coherence c = coherence_of(fixed(200, 60), 60);
  EXPECT_NEAR(c.resultant, 1, 1e-9);
  EXPECT_FALSE(c.locked);
}

TEST(Coherence, TwoIntervalsInTurnAreNegativelyCorrelated) {
  Random r(5);
  EXPECT_LT(coherence_of(alternating(r, 100, 9, 14, 0.1), 11.5).lag1, -0.95);
}

TEST(Coherence, MemorylessArrivalsHaveNoPhase) {
  Random r(6);
  int convinced = 0;
  for (int i = 0; i < 500; ++i)
    convinced += coherence_of(poisson(r, 200, 60), 60).evidence > 8;
  EXPECT_LE(convinced, 25);
}

TEST(Coherence, WithoutAnEstimateThereIsNothing) {
  const Coherence c = coherence_of(fixed(20, 60), 0);
  EXPECT_EQ(c.period, 0);
  EXPECT_EQ(c.resultant, 0);
}

}  // namespace
}  // namespace beaconry
