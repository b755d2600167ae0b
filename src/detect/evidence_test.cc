#include "detect/evidence.h"

#include <gtest/gtest.h>

#include "detect/test_series.h"

namespace beaconry {
namespace {

using namespace test_series;

Evidence evidence_of(const Series& series) {
  Evidence e;
  e.assign(series, DetectionSettings{});
  return e;
}

TEST(Evidence, SumsOfTwoIntervalsShowWhatAlternates) {
  Random r(1);
  const Evidence e = evidence_of(series_of(alternating(r, 60, 9, 14, 0.05)));
  EXPECT_EQ(e.lag, 2U);
  EXPECT_NEAR(e.lagged.period, 23, 0.2);
  EXPECT_GT(e.lagged.evidence, e.scan.evidence);
}

TEST(Evidence, SumsOfThreeShowThreeInTurn) {
  const double turn[] = {5, 20, 60};
  std::size_t i = 0;
  const Evidence e = evidence_of(series_of(renewal(100, [&] { return turn[i++ % 3]; })));
  EXPECT_EQ(e.lag, 3U);
  EXPECT_NEAR(e.lagged.period, 85, 0.2);
}

TEST(Evidence, SumsAddNothingToARhythmOrToNone) {
  Random r(2);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(evidence_of(series_of(shortened(r, 100, 60, 0.2))).lag, 1U);
    EXPECT_EQ(evidence_of(series_of(poisson(r, 100, 60))).lag, 1U);
  }
}

TEST(Evidence, OneSizeAddsALittle) {
  Random r(3);
  const Times times = poisson(r, 50, 60);
  const double without = evidence_of(series_of(times)).nats;
  const double with = evidence_of(series_of(times, Sizes::one)).nats;
  EXPECT_NEAR(with - without, 3, 1e-9);
  EXPECT_NEAR(evidence_of(series_of(times, Sizes::any)).nats, without, 1e-9);
}

TEST(Evidence, SizesOfSomeVisitsAloneAddNothing) {
  Series series = series_of(fixed(50, 60), Sizes::one);
  const double all = evidence_of(series).nats;
  series[7].bytes_out = series[9].bytes_in = kUnknownBytes;
  EXPECT_NEAR(all - evidence_of(series).nats, 3, 1e-9);
}

}  // namespace
}  // namespace beaconry
