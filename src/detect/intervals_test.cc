#include "detect/intervals.h"

#include <gtest/gtest.h>

#include <limits>

#include "detect/test_series.h"

namespace beaconry {
namespace {

using namespace test_series;

TEST(Intervals, AreTakenFromStartToStart) {
  Intervals intervals;
  intervals.assign(series_of({0, 10, 40, 60}), std::chrono::seconds{1});
  EXPECT_EQ(intervals.in_order, (std::vector<double>{10, 30, 20}));
  EXPECT_EQ(intervals.sorted, (std::vector<double>{10, 20, 30}));
  EXPECT_EQ(intervals.times, (Times{0, 10, 40, 60}));
  EXPECT_DOUBLE_EQ(intervals.mean, 20);
  EXPECT_DOUBLE_EQ(intervals.median, 20);
  EXPECT_DOUBLE_EQ(intervals.deviation, std::sqrt(200.0 / 3));
  EXPECT_DOUBLE_EQ(intervals.least, 10);
  EXPECT_DOUBLE_EQ(intervals.most, 30);
  EXPECT_DOUBLE_EQ(intervals.dead_time, 1);
}

TEST(Intervals, NothingOfAnEarlierSeriesStays) {
  Intervals intervals;
  intervals.assign(series_of(fixed(9, 60)), std::chrono::seconds{1});
  intervals.assign(series_of({0}), std::chrono::seconds{1});
  EXPECT_EQ(intervals.size(), 0U);
  EXPECT_EQ(intervals.mean, 0);
  EXPECT_EQ(intervals.most, 0);
  intervals.assign({}, std::chrono::seconds{1});
  EXPECT_TRUE(intervals.times.empty());
}

TEST(Quantile, InterpolatesBetweenItsNeighbours) {
  const std::vector<double> sorted{1, 2, 4, 8};
  EXPECT_DOUBLE_EQ(quantile(sorted, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(sorted, 0.5), 3);
  EXPECT_DOUBLE_EQ(quantile(sorted, 0.9), 6.8);
  EXPECT_DOUBLE_EQ(quantile(sorted, 1), 8);
  EXPECT_EQ(quantile({}, 0.5), 0);
}

TEST(Logistic, IsFiniteForEveryNumber) {
  EXPECT_DOUBLE_EQ(logistic(0), 0.5);
  EXPECT_NEAR(logistic(1e300), 1, 1e-15);
  EXPECT_NEAR(logistic(-std::numeric_limits<double>::infinity()), 0, 1e-15);
}

}  // namespace
}  // namespace beaconry
