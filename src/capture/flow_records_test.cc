#include "capture/flow_records.h"

#include <gtest/gtest.h>

#include <chrono>

namespace beaconry {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kSecondNs = 1'000'000'000;
const Timestamp kStart{seconds{1'700'000'000}};

// As the kernel has been up for `up`, the wall clock shows `wall` after kStart.
void sample(KernelClock& clock, Duration up, Duration wall) {
  ClockSample read{};
  read.time_ns = static_cast<std::uint64_t>(up.count()) * 1000;
  clock.set(read, kStart + wall);
}

TEST(KernelClock, ALateSampleMovesNothing) {
  KernelClock clock(250);
  sample(clock, seconds{100}, seconds{0});
  // The thread waited 40 ms between reading the wall clock and reading the kernel's.
  sample(clock, seconds{101} + milliseconds{40}, seconds{1});
  EXPECT_EQ(clock.utc(100 * kSecondNs), kStart);
  sample(clock, seconds{102}, seconds{2});
  sample(clock, seconds{103} + milliseconds{25}, seconds{3});
  EXPECT_EQ(clock.utc(100 * kSecondNs), kStart);
  EXPECT_EQ(clock.steps(), 0U);
}

TEST(KernelClock, LateSamplesThatDisagreeMoveNothing) {
  KernelClock clock(250);
  sample(clock, seconds{100}, seconds{0});
  for (int i = 1; i < 10; ++i)
    sample(clock, seconds{100 + i} + milliseconds{20 * i}, seconds{i});
  EXPECT_EQ(clock.utc(100 * kSecondNs), kStart);
}

TEST(KernelClock, AStepOfTheWallClockIsTakenUpBySecondSample) {
  KernelClock clock(250);
  sample(clock, seconds{100}, seconds{0});
  sample(clock, seconds{101}, seconds{61});
  EXPECT_EQ(clock.steps(), 0U);
  sample(clock, seconds{102}, seconds{62} + microseconds{300});
  EXPECT_EQ(clock.steps(), 1U);
  EXPECT_EQ(clock.utc(102 * kSecondNs), kStart + seconds{62} + microseconds{300});
}

TEST(KernelClock, AWallClockThatDriftsIsFollowed) {
  KernelClock clock(250);
  sample(clock, seconds{100}, seconds{0});
  for (int i = 1; i <= 100; ++i)
    sample(clock, seconds{100 + i}, seconds{i} + i * microseconds{500});
  const Duration error =
      clock.utc(200 * kSecondNs) - (kStart + seconds{100} + 100 * microseconds{500});
  EXPECT_LE(error, milliseconds{6});
  EXPECT_GE(error, -milliseconds{6});
}

}  // namespace
}  // namespace beaconry
