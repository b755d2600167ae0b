#include "sensor/services/health_check.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kStart{std::chrono::hours{24 * 365 * 50}};

struct Check {
  HealthCheck check{"beacon_0", 30s, 10s};
  Timestamp now = kStart;
  std::string asked;

  Check() { check.started(now); }
  void pass(std::chrono::seconds time) {
    for (std::chrono::seconds at{0}; at < time; at += 1s) {
      now += 1s;
      check.work(now, now);
      if (const auto uuid = check.due(now)) {
        check.asked(*uuid, now);
        asked = *uuid;
      }
    }
  }
  bool answer(HealthState state, const std::string& cause = "") {
    Health health;
    health.name = "whatever";
    health.state = state;
    health.cause = cause;
    return check.answered({asked, health}, now, now);
  }
};

TEST(HealthCheck, AsksInItsIntervalAndTellsTheAnswer) {
  Check c;
  EXPECT_EQ(c.check.health().state, HealthState::unknown);
  c.pass(1s);
  const std::string first = c.asked;
  EXPECT_FALSE(first.empty());
  EXPECT_TRUE(c.answer(HealthState::healthy));
  EXPECT_EQ(c.check.health().state, HealthState::healthy);
  EXPECT_EQ(c.check.health().name, "instrument");
  const Timestamp since = c.check.health().since;
  EXPECT_EQ(c.check.healthy_asked(), kStart + 1s);
  c.pass(29s);
  EXPECT_EQ(c.asked, first);
  c.pass(1s);
  EXPECT_NE(c.asked, first);
  EXPECT_TRUE(c.answer(HealthState::healthy));
  EXPECT_EQ(c.check.health().since, since);
  c.pass(30s);
  EXPECT_TRUE(c.answer(HealthState::degraded, "interface probe lost"));
  EXPECT_EQ(c.check.health().since, c.now);
  EXPECT_FALSE(c.check.healthy_asked());
}

TEST(HealthCheck, AMissedQuestionIsNoFailure) {
  Check c;
  c.pass(1s);
  c.answer(HealthState::healthy);
  c.pass(30s + 30s + 9s);  // one question past its deadline, one not
  EXPECT_EQ(c.check.missed(), 1U);
  EXPECT_EQ(c.check.health().state, HealthState::healthy);
  EXPECT_TRUE(c.answer(HealthState::healthy));  // late is better than never
  EXPECT_EQ(c.check.missed(), 0U);
}

TEST(HealthCheck, SilenceThroughThreeQuestionsIsAFailure) {
  Check c;
  c.pass(1s);
  c.answer(HealthState::healthy);
  c.pass(3 * 30s + 9s);
  EXPECT_EQ(c.check.health().state, HealthState::healthy);
  c.pass(2s);
  EXPECT_EQ(c.check.health().state, HealthState::failed);
  EXPECT_EQ(c.check.health().cause, "does not answer");
  EXPECT_EQ(c.check.health().since, c.now - 1s);
  EXPECT_TRUE(c.answer(HealthState::healthy));
  EXPECT_EQ(c.check.health().state, HealthState::healthy);
}

TEST(HealthCheck, WhoeverStillSpeaksIsBusyAndNotDead) {
  Check c;
  c.pass(1s);
  c.answer(HealthState::healthy);
  for (int round = 0; round < 12; ++round) {
    c.pass(10s);
    c.check.heard(c.now);
  }
  EXPECT_EQ(c.check.health().state, HealthState::degraded);
  c.pass(100s);
  EXPECT_EQ(c.check.health().state, HealthState::failed);
}

TEST(HealthCheck, NobodyIsSilentWhileTheBusIsAway) {
  Check c;
  c.pass(1s);
  c.answer(HealthState::healthy);
  for (int second = 0; second < 300; ++second) {
    c.now += 1s;
    c.check.pause(c.now);
    c.check.work(c.now, c.now);
  }
  EXPECT_EQ(c.check.health().state, HealthState::healthy);
  c.pass(1s);
  EXPECT_TRUE(c.answer(HealthState::healthy));
}

TEST(HealthCheck, AnswersToNoQuestionAreNone) {
  Check c;
  c.pass(1s);
  EXPECT_TRUE(c.answer(HealthState::degraded, "warm"));
  EXPECT_FALSE(c.answer(HealthState::healthy));  // a second one
  EXPECT_EQ(c.check.health().state, HealthState::degraded);
  c.check.stopped();
  EXPECT_FALSE(c.answer(HealthState::healthy));
  EXPECT_EQ(c.check.health().state, HealthState::unknown);
}

}  // namespace
}  // namespace beaconry
