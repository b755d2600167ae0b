#include "leak/probe_clock.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using namespace std::chrono_literals;
const Timestamp kStart{1'800'000'000s};

TEST(ProbeClock, TakesAClockThatIsDaysOffForWhatItIs) {
  for (const Duration skew : {Duration(-72h), Duration(0), Duration(72h)}) {
    ProbeClock clock;
    for (int at = 1; at < 50; ++at) {
      const Timestamp received = kStart + at * 1min;
      EXPECT_FALSE(clock.is_late(static_cast<std::uint64_t>(at), received + skew, received, 10min));
    }
    // Tried before all of these, and arrived now.
    EXPECT_TRUE(clock.is_late(3, kStart + 3min + skew, kStart + 60min, 10min));
    EXPECT_FALSE(clock.is_late(49, kStart + 49min + skew, kStart + 50min, 10min));
  }
}

TEST(ProbeClock, FollowsAClockThatWasSetBack) {
  ProbeClock clock;
  EXPECT_FALSE(clock.is_late(1, kStart + 5h, kStart, 10min));
  EXPECT_FALSE(clock.is_late(2, kStart + 1min, kStart + 1min, 10min));
  EXPECT_FALSE(clock.is_late(3, kStart + 2min, kStart + 2min, 10min));
}

TEST(ProbeClock, FollowsAClockThatWasSetBackALittleWithinItsMemory) {
  ProbeClock clock;
  EXPECT_FALSE(clock.is_late(1, kStart, kStart, 10min));
  // Two hours later it was set back by one: it still goes forward.
  std::size_t late = 0;
  for (int at = 0; at < 30; ++at) {
    const Timestamp received = kStart + 2h + at * 1min;
    late += clock.is_late(static_cast<std::uint64_t>(at) + 2, received - 1h, received, 10min);
  }
  EXPECT_GT(late, 0u);
  EXPECT_LE(late, ProbeClock::kKept);
}

}  // namespace
}  // namespace beaconry
