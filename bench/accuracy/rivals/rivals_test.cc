#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "accuracy/rivals/predecessor.h"
#include "accuracy/rivals/rita.h"
#include "source/simulate/random.h"

namespace beaconry::accuracy {
namespace {

std::vector<double> series(double least, double most, std::size_t count, std::uint64_t seed) {
  simulate::Random random(seed);
  std::vector<double> times{0};
  while (times.size() < count)
    times.push_back(times.back() + random.uniform(least, most));
  return times;
}

// RITA's own test row: 331 requests, 200 to 350 seconds apart, of alike size, score 0.963.
TEST(Rita, GivesItsOwnTestRowItsScore) {
  double sum = 0;
  constexpr int kDraws = 20;
  for (int seed = 1; seed <= kDraws; ++seed) {
    const auto times = series(200, 350, 331, static_cast<std::uint64_t>(seed));
    const std::vector<double> sizes(times.size(), 600);
    const double score = rita_score(times, sizes, times.back()).score;
    EXPECT_NEAR(score, 0.963, 0.025);
    sum += score;
  }
  EXPECT_NEAR(sum / kDraws, 0.963, 0.012);
}

TEST(Rita, ReachesHalfAtMostInFewerThanSixBins) {
  const auto times = series(60, 60, 200, 1);  // three hours and a bit
  const std::vector<double> sizes(times.size(), 600);
  const RitaScore score = rita_score(times, sizes, 86400);
  EXPECT_TRUE(score.qualifies);
  EXPECT_DOUBLE_EQ(score.timing, 1);
  EXPECT_DOUBLE_EQ(score.duration, 0);
  EXPECT_LE(score.score, 0.5);
}

TEST(Rita, ReachesThreeQuartersAtMostInSixToTenBins) {
  const auto times = series(60, 60, 60 * 9, 1);
  const std::vector<double> sizes(times.size(), 600);
  const RitaScore score = rita_score(times, sizes, 86400);
  EXPECT_GT(score.score, 0.5);
  EXPECT_LE(score.score, 0.75);
}

TEST(Rita, NeverSeesASleepAboveEightHours) {
  const std::vector<double> times{0, 30000, 60000, 86400};  // the window holds no more of them
  const std::vector<double> sizes(3, 600);
  EXPECT_FALSE(rita_score(std::span(times).first(3), sizes, 86400).qualifies);
}

TEST(Rita, CountsARunAroundTheWindowsEnd) {
  std::array<std::uint32_t, kRitaBins> bins{};
  for (const std::size_t bin : {0U, 1U, 2U, 21U, 22U, 23U})
    bins[bin] = 5;
  EXPECT_DOUBLE_EQ(rita_duration(bins, 0), 0.5);
}

TEST(Rita, TakesNoSkewFromANarrowSpread) {
  const std::vector<double> narrow{100, 101, 103, 109};  // quartiles 5.5 apart
  EXPECT_DOUBLE_EQ(rita_statistic(narrow, 0), std::round(500 * (1 + (102 - 1.5) / 102)) / 1000);
}

TEST(Predecessor, CvScoreIsHalfAtItsThreshold) {
  const std::vector<double> values{85, 115};  // mean 100, deviation 15
  EXPECT_NEAR(predecessor_cv(values, 0.15), 0.5, 1e-12);
  const std::vector<double> wild{1, 1, 1, 1, 1e9};
  EXPECT_TRUE(std::isfinite(predecessor_cv(wild, 0.15)));
}

TEST(Predecessor, JitterScoreFallsToAHalfAtItsThreshold) {
  EXPECT_DOUBLE_EQ(predecessor_jitter(std::vector<double>{60, 60, 60, 65}, {}), 0.5);
  EXPECT_DOUBLE_EQ(predecessor_jitter(std::vector<double>{60, 60, 60, 60}, {}), 1);
  EXPECT_NEAR(predecessor_jitter(std::vector<double>{60, 60, 60, 70}, {}), 0.5 / std::exp(1),
              1e-12);
}

TEST(Predecessor, CallsAFixedSleepABeaconAndHalfJitterNone) {
  const auto fixed = series(60, 60, 100, 1);
  const std::vector<double> sizes(100, 600);
  const PredecessorScore found = predecessor_score(fixed, sizes);
  EXPECT_TRUE(found.is_beacon);
  EXPECT_GT(found.combined, 0.99);
  const auto loose = series(30, 90, 100, 1);
  EXPECT_FALSE(predecessor_score(loose, sizes).is_beacon);
}

TEST(Predecessor, WantsTenEventsAndFiveMinutes) {
  const auto times = series(60, 60, 12, 1);
  const std::vector<double> sizes(12, 600);
  EXPECT_EQ(predecessor_score(std::span(times).first(9), sizes).combined, 0);
  const auto quick = series(12, 12, 20, 1);  // 228 seconds
  EXPECT_EQ(predecessor_score(quick, sizes).combined, 0);
  EXPECT_GT(predecessor_score(times, sizes).combined, 0);
}

}  // namespace
}  // namespace beaconry::accuracy
