#include "sensor/services/talk_limit.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using Verdict = TalkLimit::Verdict;
constexpr Timestamp kStart{std::chrono::hours{1}};

TEST(TalkLimitTest, AnOutboxThatIsSaidAgainAndWhatTheManifestAllowsPass) {
  TalkLimit limit(100);
  for (int n = 0; n < 9000; ++n)
    ASSERT_EQ(limit.charge(300, kStart), Verdict::take);
  for (int second = 1; second < 600; ++second) {
    for (int n = 0; n < 150; ++n)
      ASSERT_EQ(limit.charge(300, kStart + std::chrono::seconds{second}), Verdict::take);
  }
  EXPECT_EQ(limit.health(kStart + 600s).state, HealthState::healthy);
}

TEST(TalkLimitTest, LongMessagesCostMore) {
  TalkLimit limit(100);
  int taken = 0;
  while (limit.charge(512 << 10, kStart) == Verdict::take)
    ++taken;
  EXPECT_LT(taken, 100);
  EXPECT_EQ(limit.health(kStart).state, HealthState::degraded);
}

TEST(TalkLimitTest, ALongOverrunIsBarredForAMinuteAndTheNextOneAgain) {
  TalkLimit limit(10);
  Timestamp now = kStart;
  for (int round = 0; round < 3; ++round) {
    Verdict verdict = Verdict::take;
    int seconds = 0;
    for (; verdict != Verdict::bar && seconds < 600; ++seconds, now += 1s) {
      for (int n = 0; n < 1000 && verdict != Verdict::bar; ++n)
        verdict = limit.charge(10, now);
    }
    ASSERT_EQ(verdict, Verdict::bar) << round;
    EXPECT_EQ(limit.charge(10, now), Verdict::drop);
    EXPECT_FALSE(limit.take_end_of_bar(now + 50s));
    now += 61s;
    EXPECT_TRUE(limit.take_end_of_bar(now));
    EXPECT_FALSE(limit.take_end_of_bar(now));
    EXPECT_EQ(limit.charge(10, now), Verdict::take);
  }
}

TEST(TalkLimitTest, AShortOverrunIsNamedOnceAMinute) {
  TalkLimit limit(10);
  for (int n = 0; n < 10'500; ++n)
    ASSERT_NE(limit.charge(10, kStart), Verdict::bar);
  EXPECT_EQ(limit.dropped(), 500U);
  EXPECT_TRUE(limit.take_news(kStart));
  EXPECT_FALSE(limit.take_news(kStart));
  EXPECT_EQ(limit.health(kStart + 30s).state, HealthState::degraded);
  EXPECT_EQ(limit.health(kStart + 120s).state, HealthState::healthy);
}

}  // namespace
}  // namespace beaconry
