#include "beacon/probe_watch.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using namespace std::chrono_literals;

constexpr ProbeWatch::Clock::time_point kStart{1000h};
constexpr const char* kTry = "2026-11-21T18:00:06Z try udp-port 203.0.113.10:443 seq=17";
constexpr const char* kReply = "2026-11-21T18:00:08Z reply tcp-connect 203.0.113.10:443 seq=18";

TEST(ProbeWatch, patience_follows_from_the_schedule) {
  ProbeConfig config;
  EXPECT_EQ(ProbeWatch::patience(config), 180s);
  config.packets_a_second = 0.05;
  EXPECT_EQ(ProbeWatch::patience(config), 600s);
  config.packets_a_second = 100;
  config.bytes_a_second = 64;
  EXPECT_EQ(ProbeWatch::patience(config), 703s);
  config.bytes_a_second = 1'000'000;
  config.long_cycle = false;
  EXPECT_EQ(ProbeWatch::patience(config), 180s + 30min);
}

TEST(ProbeWatch, is_healthy_while_attempts_come_and_not_before) {
  ProbeWatch watch;
  watch.started(180s, kStart);
  EXPECT_EQ(watch.attempts(kStart + 10s).state, HealthState::unknown);
  watch.take("2026-11-21T18:00:05Z cycle short 1 begins", kStart + 1s);
  EXPECT_EQ(watch.attempts(kStart + 10s).state, HealthState::unknown);
  watch.take(kTry, kStart + 20s);
  EXPECT_EQ(watch.attempts(kStart + 200s).state, HealthState::healthy);
  const Health late = watch.attempts(kStart + 201s);
  EXPECT_EQ(late.state, HealthState::failed);
  EXPECT_EQ(late.cause, "no line for 3m 0s");
  EXPECT_NE(late.evidence.find("try udp-port"), std::string::npos);
  watch.started(180s, kStart + 300s);
  EXPECT_EQ(watch.attempts(kStart + 301s).state, HealthState::unknown);
}

TEST(ProbeWatch, one_that_says_why_it_tries_nothing_is_told_from_a_dead_one) {
  ProbeWatch watch;
  watch.started(180s, kStart);
  watch.take("2026-11-21T18:00:05Z skip dns no resolver is known", kStart + 179s);
  const Health health = watch.attempts(kStart + 200s);
  EXPECT_EQ(health.state, HealthState::failed);
  EXPECT_EQ(health.cause, "nothing is tried");
  EXPECT_NE(health.evidence.find("no resolver is known"), std::string::npos);
}

TEST(ProbeWatch, an_answer_is_told_once_an_hour) {
  ProbeWatch watch;
  watch.started(180s, kStart);
  const auto first = watch.take(kReply, kStart);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->method, "tcp-connect");
  EXPECT_EQ(first->destination, "203.0.113.10:443");
  EXPECT_FALSE(watch.take(kReply, kStart + 59min));
  EXPECT_TRUE(watch.take(kReply, kStart + 61min));
  EXPECT_EQ(watch.answered(), 3U);
}

TEST(ProbeWatch, odd_lines_are_no_attempts) {
  ProbeWatch watch;
  watch.started(180s, kStart);
  for (const char* line : {"", " ", "try", "x", "\x1b[2J try", "2026 reply a"})
    EXPECT_FALSE(watch.take(line, kStart));
  EXPECT_EQ(watch.tried(), 1U);  // of the fifth: where words stand is all that is looked at
}

}  // namespace
}  // namespace beaconry
