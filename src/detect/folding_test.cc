#include "detect/folding.h"

#include <gtest/gtest.h>

#include "detect/evidence.h"
#include "detect/test_series.h"

namespace beaconry {
namespace {

using namespace test_series;

Folding folding_of(const Times& times) {
  Evidence e;
  e.assign(series_of(times), DetectionSettings{});
  return e.folding;
}

TEST(Folding, MissedCheckInsAreNotVariation) {
  Random r(1);
  const Folding f = folding_of(lost(r, fixed(300, 60), 0.5));
  EXPECT_DOUBLE_EQ(f.period, 60);
  EXPECT_DOUBLE_EQ(f.explained_share, 1);
  EXPECT_NEAR(f.relative_spread, 0, 1e-3);
  EXPECT_LT(f.usual_deviation, 0.01);
}

TEST(Folding, CountsWhatIsMissing) {
  for (const double share : {0.1, 0.3, 0.5}) {
    Random r(static_cast<std::uint64_t>(share * 100));
    EXPECT_NEAR(folding_of(lost(r, fixed(1000, 60), share)).missing_share, share, 0.05);
    EXPECT_NEAR(folding_of(lost(r, shortened(r, 1000, 60, 0.1), share)).missing_share, share, 0.1);
  }
  EXPECT_EQ(folding_of(fixed(100, 60)).missing_share, 0);
}

TEST(Folding, ARhythmIsNotAMultipleOfAnything) {
  Random r(2);
  EXPECT_LT(folding_of(around(r, 500, 60, 0.5)).missing_share, 0.1);
}

TEST(Folding, ExplainsTwoNarrowRhythms) {
  Random r(3);
  const Folding f = folding_of(
      renewal(200, [&] { return r.chance(0.6) ? r.uniform(58, 60) : r.uniform(131, 134); }));
  EXPECT_NEAR(f.period, 59, 1);
  EXPECT_NEAR(f.second_period, 132.5, 1.5);
  EXPECT_NEAR(f.second_share, 0.4, 0.1);
  EXPECT_GT(f.explained_share, 0.9);
}

TEST(Folding, FindsNoSecondRhythmInOneOrInNone) {
  Random r(4);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(folding_of(shortened(r, 200, 60, 0.2)).second_period, 0);
    EXPECT_EQ(folding_of(poisson(r, 200, 60)).second_period, 0);
    EXPECT_EQ(folding_of(browsing(r, 200)).second_period, 0);
  }
}

TEST(Folding, APauseIsNoLoss) {
  const Folding f = folding_of(stints(fixed(100, 60), 600, 86'400));
  EXPECT_EQ(f.missing_share, 0);
  EXPECT_NEAR(f.explained_share, 90.0 / 99, 1e-9);
}

}  // namespace
}  // namespace beaconry
