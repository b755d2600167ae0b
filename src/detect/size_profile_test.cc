#include "detect/size_profile.h"

#include <gtest/gtest.h>

#include <limits>

#include "detect/test_series.h"

namespace beaconry {
namespace {

SizeProfile profile_of(std::initializer_list<std::uint64_t> out) {
  std::vector<CheckIn> series;
  for (const std::uint64_t bytes : out) {
    CheckIn c;
    c.bytes_out = bytes;
    series.push_back(c);
  }
  SizeProfile profile;
  profile.assign(series);
  return profile;
}

TEST(SizeProfile, OneDownloadDoesNotRuinTheCommonestSize) {
  const SizeProfile p = profile_of({420, 420, 420, 420, 1'000'000'000});
  EXPECT_EQ(p.out.bytes, 420U);
  EXPECT_DOUBLE_EQ(p.out.share, 0.8);
  EXPECT_EQ(p.bytes_out, 1'000'001'680U);
}

TEST(SizeProfile, SizesThatDifferByPaddingAreOne) {
  EXPECT_DOUBLE_EQ(profile_of({400, 404, 408, 412, 416}).out.share, 1);
  EXPECT_DOUBLE_EQ(profile_of({400, 450, 500, 550, 600}).out.share, 0.2);
}

TEST(SizeProfile, UnknownIsNotZero) {
  const SizeProfile p = profile_of({kUnknownBytes, 420, kUnknownBytes, 420});
  EXPECT_EQ(p.out.bytes, 420U);
  EXPECT_EQ(p.out.known, 2U);
  EXPECT_DOUBLE_EQ(p.out.share, 1);
  EXPECT_EQ(p.in.known, 0U);
  EXPECT_EQ(p.bytes_in, kUnknownBytes);
  EXPECT_EQ(profile_of({0, 0, 0}).bytes_out, 0U);
}

TEST(SizeProfile, TotalsStopBelowUnknown) {
  constexpr std::uint64_t kLargest = kUnknownBytes - 1;
  const SizeProfile p = profile_of({kLargest, kLargest, 7});
  EXPECT_EQ(p.bytes_out, kLargest);
  EXPECT_EQ(p.out.bytes, kLargest);
  EXPECT_NEAR(p.out.share, 2.0 / 3, 1e-12);
}

TEST(SizeProfile, NothingOfAnEarlierSeriesStays) {
  SizeProfile p = profile_of({1, 2, 3});
  p.assign({});
  EXPECT_EQ(p.out.known, 0U);
  EXPECT_EQ(p.out.share, 0);
  EXPECT_EQ(p.bytes_out, kUnknownBytes);
}

}  // namespace
}  // namespace beaconry
