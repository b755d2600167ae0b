#include "detect/sleep_model.h"

#include <gtest/gtest.h>

#include <map>

#include "detect/test_series.h"

namespace beaconry {
namespace {

using namespace test_series;

Rhythm rhythm_of(const Times& times) {
  Evidence e;
  e.assign(series_of(times), DetectionSettings{});
  return fit_sleep_model(e);
}

// How many of 60 seeded series of a family the model explains, with the sleep to within 4 % and
// the jitter to within 8 points.
template <class Family>
int named(SleepModel model, double sleep, double jitter, Family family) {
  int right = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random r(seed);
    const Rhythm rhythm = rhythm_of(family(r));
    right += rhythm.model == model && std::abs(rhythm.sleep_seconds - sleep) <= 0.04 * sleep &&
             std::abs(rhythm.jitter_percent - jitter) <= 8;
  }
  return right;
}

TEST(SleepModel, FixedSleepsAreFixedFromEightCheckInsOn) {
  for (const double sleep : {2.0, 5.0, 60.0, 3600.0, 28'800.0}) {
    EXPECT_EQ(named(SleepModel::fixed, sleep, 0, [&](Random&) { return fixed(8, sleep); }), 60);
  }
}

TEST(SleepModel, FixedSleepsStayFixedWhenHalfIsLost) {
  const auto family = [](Random& r) { return lost(r, fixed(200, 60), 0.5); };
  EXPECT_GE(named(SleepModel::fixed, 60, 0, family), 59);
  Random r(1);
  EXPECT_NEAR(rhythm_of(family(r)).missing_share, 0.5, 0.08);
}

TEST(SleepModel, NamesCobaltStrike) {
  EXPECT_GE(
      named(SleepModel::shorten, 60, 20, [](Random& r) { return shortened(r, 200, 60, 0.2); }), 57);
  EXPECT_GE(
      named(SleepModel::shorten, 300, 37, [](Random& r) { return shortened(r, 400, 300, 0.37); }),
      55);
  EXPECT_GE(
      named(SleepModel::shorten, 30, 20, [](Random& r) { return shortened(r, 200, 30, 0.2); }), 55);
}

// Its own default, 60 s and up to 30 s more, is also 75 s ± 20 % and 90 s − 33 %.
TEST(SleepModel, NamesSliver) {
  EXPECT_GE(
      named(SleepModel::lengthen, 60, 50, [](Random& r) { return lengthened(r, 400, 60, 30); }),
      55);
  EXPECT_GE(
      named(SleepModel::lengthen, 300, 20, [](Random& r) { return lengthened(r, 200, 300, 60); }),
      55);
}

TEST(SleepModel, NamesEmpire) {
  EXPECT_GE(named(SleepModel::around, 60, 20, [](Random& r) { return around(r, 200, 60, 0.2); }),
            55);
  EXPECT_GE(named(SleepModel::around, 5, 20, [](Random& r) { return around(r, 200, 5, 0.2); }), 55);
}

TEST(SleepModel, NamesTheTwoSleepsOfNjRat) {
  Random r(1);
  const Rhythm rhythm = rhythm_of(alternating(r, 100, 9, 14, 0.05));
  EXPECT_EQ(rhythm.model, SleepModel::alternating);
  EXPECT_NEAR(rhythm.sleep_seconds, 9, 0.2);
  EXPECT_NEAR(rhythm.second_sleep_seconds, 14, 0.2);
}

TEST(SleepModel, NamesTwoRhythms) {
  Random r(2);
  const Rhythm rhythm = rhythm_of(
      renewal(200, [&] { return r.chance(0.6) ? r.uniform(58, 60) : r.uniform(131, 134); }));
  EXPECT_EQ(rhythm.model, SleepModel::mixture);
  EXPECT_NEAR(rhythm.sleep_seconds, 59, 1);
  EXPECT_NEAR(rhythm.second_sleep_seconds, 132.5, 1.5);
}

TEST(SleepModel, TellsAScheduleFromASleepLoop) {
  EXPECT_GE(named(SleepModel::clock_locked, 300, 3,
                  [](Random& r) { return clock_locked(r, 100, 300, 30); }),
            58);
  int locked = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random r(seed);
    locked += rhythm_of(shortened(r, 200, 300, 0.1)).model == SleepModel::clock_locked;
  }
  EXPECT_LE(locked, 2);
}

TEST(SleepModel, CountsStints) {
  const Rhythm rhythm = rhythm_of(stints(fixed(300, 60), 3000, 86'400));
  EXPECT_EQ(rhythm.model, SleepModel::fixed);
  EXPECT_EQ(rhythm.episodes, 6U);
  EXPECT_NEAR(rhythm.active_seconds, 299 * 60, 1);
}

TEST(SleepModel, PeopleHaveNone) {
  int none = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random r(seed);
    const Rhythm rhythm = rhythm_of(browsing(r, 200));
    if (rhythm.model != SleepModel::none) continue;
    ++none;
    EXPECT_EQ(rhythm.missing_share, 0);  // nothing was expected
  }
  EXPECT_GE(none, 190);
}

TEST(SleepModel, SaysItInWords) {
  Rhythm r;
  EXPECT_EQ(describe(r), "no sleep model fits");
  r.sleep_seconds = 60;
  r.jitter_percent = 20;
  r.model = SleepModel::fixed;
  EXPECT_EQ(describe(r), "sleep 60.0s without jitter");
  r.model = SleepModel::shorten;
  EXPECT_EQ(describe(r), "sleep 60.0s, jitter 20 % (shortens)");  // too few to name anybody
  r.intervals = kLeastToName;
  EXPECT_EQ(describe(r), "sleep 60.0s, jitter 20 %, Cobalt-Strike-like (jitter shortens)");
  r.model = SleepModel::alternating;
  r.second_sleep_seconds = 90;
  EXPECT_EQ(describe(r), "alternates 60.0s and 90.0s, njRAT-like");
  r.model = SleepModel::clock_locked;
  EXPECT_EQ(describe(r), "clock-locked schedule, every 60.0s");
}

}  // namespace
}  // namespace beaconry
