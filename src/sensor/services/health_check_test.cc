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
  std::size_t questions = 0;
  std::string first;

  Check() { check.started(now, true); }
  Check(std::chrono::seconds every, std::chrono::seconds deadline)
      : check("beacon_0", every, deadline) {
    check.started(now, true);
  }
  void pass(std::chrono::seconds time) {
    for (std::chrono::seconds at{0}; at < time; at += 1s) {
      now += 1s;
      check.work(now, now);
      if (const auto uuid = check.due(now)) {
        check.asked(*uuid, now, now);
        asked = *uuid;
        if (questions++ == 0) first = asked;
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

TEST(HealthCheck, OneThatIsNotHealthyYetIsAskedAgainSoon) {
  Check c;
  c.pass(1s);
  std::string last = c.asked;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(c.answer(HealthState::unknown, "no attempt yet"));
    c.pass(3s);
    EXPECT_NE(c.asked, last);
    last = c.asked;
  }
  // Once it was healthy, and while it is silent, in its interval.
  EXPECT_TRUE(c.answer(HealthState::healthy));
  c.pass(27s);
  EXPECT_EQ(c.asked, last);
  c.pass(3s);
  EXPECT_NE(c.asked, last);
  last = c.asked;
  EXPECT_TRUE(c.answer(HealthState::failed));
  c.pass(29s);
  EXPECT_EQ(c.asked, last);
  // For ever it is not asked so often.
  c.check.started(c.now);
  int questions = 0;
  for (int second = 0; second < 600; ++second) {
    c.pass(1s);
    if (c.asked == last) continue;
    last = c.asked;
    ++questions;
    c.answer(HealthState::unknown);
  }
  EXPECT_LT(questions, 60);
}

TEST(HealthCheck, AMissedQuestionIsNoFailure) {
  Check c;
  c.pass(1s);
  c.answer(HealthState::healthy);
  c.pass(30s + 30s + 9s);
  EXPECT_EQ(c.check.missed(), 1U);
  EXPECT_EQ(c.check.health().state, HealthState::healthy);
  EXPECT_TRUE(c.answer(HealthState::healthy));  // late is better than never
  EXPECT_EQ(c.check.health().state, HealthState::healthy);
  c.pass(30s);
  EXPECT_TRUE(c.answer(HealthState::healthy));
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
  c.pass(20s);  // it is asked again
  EXPECT_TRUE(c.answer(HealthState::healthy));
  EXPECT_EQ(c.check.health().state, HealthState::healthy);
}

TEST(HealthCheck, WhoeverStillSpeaksIsBusyAndNotDead) {
  Check c;
  c.pass(1s);
  c.answer(HealthState::healthy);
  for (int round = 0; round < 12; ++round) {
    c.pass(10s);
    c.check.heard(c.now, false);
  }
  EXPECT_EQ(c.check.health().state, HealthState::degraded);
  c.pass(100s);
  EXPECT_EQ(c.check.health().state, HealthState::failed);
}

TEST(HealthCheck, OneQuestionWaitsForItsAnswerBeforeTheNext) {
  Check c(5s, 3s);
  c.pass(14s);
  EXPECT_EQ(c.questions, 1U);
  EXPECT_TRUE(c.answer(HealthState::healthy));
  c.pass(4s);
  EXPECT_EQ(c.questions, 1U);  // it comes to its work first
  c.pass(1s);
  EXPECT_EQ(c.questions, 2U);
}

TEST(HealthCheck, WhoeverAnswersLateEachTimeIsBusyAndNeverDead) {
  Check c(5s, 3s);
  c.pass(1s);
  c.answer(HealthState::healthy);
  bool busy = false;
  for (int round = 0; round < 10; ++round) {
    for (const std::size_t before = c.questions; c.questions == before;)
      c.pass(1s);
    c.pass(12s);
    c.answer(HealthState::healthy);
    busy = busy || c.check.health().state == HealthState::degraded;
    EXPECT_NE(c.check.health().state, HealthState::failed);
    EXPECT_EQ(busy, c.check.health().cause.starts_with("busy"));
  }
  EXPECT_TRUE(busy);
  EXPECT_FALSE(c.check.healthy_asked());
  c.pass(6s);
  c.answer(HealthState::healthy);
  EXPECT_EQ(c.check.health().state, HealthState::healthy);
}

TEST(HealthCheck, WhatALateAnswerSaysOfItsInstrumentIsTold) {
  Check c(5s, 3s);
  c.pass(14s);
  c.answer(HealthState::failed, "interface probe lost");
  EXPECT_EQ(c.check.health().state, HealthState::failed);
  EXPECT_EQ(c.check.health().cause, "interface probe lost");
}

TEST(HealthCheck, OneThatIsKnownToBeSlowIsGivenItsTime) {
  Check c(5s, 3s);
  c.pass(60s);
  EXPECT_EQ(c.check.health().state, HealthState::failed);  // nobody could know
  c.asked = c.first;
  c.answer(HealthState::healthy);
  EXPECT_EQ(c.check.health().state, HealthState::degraded);
  c.pass(64s);
  EXPECT_EQ(c.check.health().state, HealthState::degraded);
  c.pass(120s);
  EXPECT_EQ(c.check.health().state, HealthState::failed);
}

TEST(HealthCheck, WhatMayBeLostIsAskedAgainAndSeldomer) {
  Check c(5s, 3s);
  c.pass(15s);
  EXPECT_EQ(c.questions, 1U);
  c.pass(1s);
  EXPECT_EQ(c.questions, 2U);
  c.pass(10min);
  EXPECT_LE(c.questions, 13U);
  for (const std::size_t before = c.questions; c.questions == before;)
    c.pass(1s);
  EXPECT_TRUE(c.answer(HealthState::healthy));
  EXPECT_EQ(c.check.health().state, HealthState::healthy);
}

TEST(HealthCheck, WhoeverComesIsAskedAtOnceAndMayAnswerEither) {
  Check c(30s, 10s);
  c.pass(1s);
  c.check.heard(c.now, true);
  const std::string first = c.asked;
  c.pass(1s);
  EXPECT_EQ(c.questions, 2U);
  EXPECT_NE(c.asked, first);
  const std::string second = std::exchange(c.asked, first);
  EXPECT_TRUE(c.answer(HealthState::healthy));
  c.asked = second;
  EXPECT_TRUE(c.answer(HealthState::healthy));
}

TEST(HealthCheck, OneThatSaidNoHelloIsAskedAtItsFirstWord) {
  HealthCheck check("beacon_0", 30s, 10s);
  check.started(kStart);
  check.asked(check.due(kStart).value(), kStart, kStart);
  EXPECT_FALSE(check.due(kStart + 1s));
  check.heard(kStart + 1s, false);
  ASSERT_TRUE(check.due(kStart + 1s));
  check.asked(check.due(kStart + 1s).value(), kStart + 1s, kStart);
  check.heard(kStart + 2s, false);
  EXPECT_FALSE(check.due(kStart + 2s));
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
