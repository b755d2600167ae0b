#include "detect/dispersion.h"

#include <gtest/gtest.h>

#include "detect/test_series.h"

namespace beaconry {
namespace {

using namespace test_series;

Dispersion dispersion_of(const Times& times, double period) {
  Intervals intervals;
  intervals.assign(series_of(times), std::chrono::seconds{1});
  Dispersion d;
  d.assign(intervals, period);
  return d;
}

// Cox and Lewis: the limit is the squared coefficient of variation, 1/3 for uniform on [0, 2s].
// Windows of few intervals stay somewhat above it.
TEST(Dispersion, OfASleepLoopIsTheSquaredVariationOfItsIntervals) {
  Random r(1);
  EXPECT_NEAR(dispersion_of(around(r, 4000, 600, 1), 600).value, 1.0 / 3, 0.12);
  EXPECT_NEAR(dispersion_of(around(r, 4000, 600, 0.5), 600).value, 0.25 / 3, 0.06);
  EXPECT_LT(dispersion_of(fixed(4000, 600), 600).value, 0.05);
}

TEST(Dispersion, OfMemorylessArrivalsIsAboutOneAndProvesNothing) {
  Random r(2);
  double sum = 0;
  int convinced = 0;
  for (int i = 0; i < 1000; ++i) {
    const Dispersion d = dispersion_of(poisson(r, 200, r.log_uniform(2, 600)), 60);
    sum += d.value;
    convinced += d.evidence > 6;
  }
  EXPECT_NEAR(sum / 1000, 0.85, 0.15);  // below 1: the most telling of three windows
  EXPECT_LE(convinced, 10);
}

TEST(Dispersion, OfPeopleIsNoEvidence) {
  Random r(3);
  for (int i = 0; i < 300; ++i)
    EXPECT_LT(dispersion_of(browsing(r, 200), 30).evidence, 2);
}

TEST(Dispersion, HalfLostCheckInsStayEven) {
  Random r(4);
  for (int i = 0; i < 20; ++i) {
    const Dispersion d = dispersion_of(lost(r, shortened(r, 800, 60, 0.2), 0.5), 60);
    EXPECT_LT(d.value, 0.8);
    EXPECT_GT(d.evidence, 4);
  }
}

TEST(Dispersion, PausesAreCutOutAndCounted) {
  const Dispersion d = dispersion_of(stints(fixed(300, 60), 3000, 86'400), 60);
  EXPECT_EQ(d.episodes, 6U);
  EXPECT_NEAR(d.pauses_share, 5.0 / 299, 1e-9);
  EXPECT_NEAR(d.active_seconds, 299 * 60, 1);
  EXPECT_LT(d.value, 0.1);
}

// One window after the other would be 10^9 of them.
TEST(Dispersion, YearsBetweenSecondsCostNothing) {
  Random r(5);
  const Dispersion d = dispersion_of(renewal(150, [&] { return r.chance(0.3) ? 3e7 : 1.5; }), 1.5);
  EXPECT_EQ(d.episodes, 1U);  // so many pauses are the rhythm
  EXPECT_EQ(d.evidence, 0);
}

TEST(Dispersion, TooFewCheckInsSayNothing) {
  EXPECT_EQ(dispersion_of({0}, 60).value, 1);
  EXPECT_EQ(dispersion_of({}, 60).episodes, 0U);
  EXPECT_EQ(dispersion_of(fixed(10, 60), 60).evidence, 0);
}

}  // namespace
}  // namespace beaconry
