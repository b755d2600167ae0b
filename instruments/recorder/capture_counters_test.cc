#include "recorder/capture_counters.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using namespace std::chrono_literals;
constexpr RecordingWatch::Clock::time_point kStart{1000h};

TEST(CaptureCounters, reads_what_tcpdump_says) {
  const auto many = CaptureCounters::parse(
      "tcpdump: 1200 packets captured, 1300 packets received by filter, 7 packets dropped by "
      "kernel");
  ASSERT_TRUE(many);
  EXPECT_EQ(many->captured, 1200U);
  EXPECT_EQ(many->received, 1300U);
  EXPECT_EQ(many->dropped, 7U);
  const auto one = CaptureCounters::parse(
      "tcpdump: 1 packet captured, 1 packet received by filter, 0 packets dropped by kernel");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->captured, 1U);
  EXPECT_FALSE(CaptureCounters::parse("tcpdump: listening on net0, link-type EN10MB"));
  EXPECT_FALSE(CaptureCounters::parse("packets captured packets received by filter"));
}

TEST(RecordingWatch, quiet_is_not_dead) {
  RecordingWatch watch;
  watch.started(kStart);
  EXPECT_EQ(watch.health(kStart).state, HealthState::unknown);
  for (int i = 1; i < 20; ++i)
    watch.take({0, 0, 0}, "a 24", kStart + i * 5s);
  EXPECT_EQ(watch.health(kStart + 95s).state, HealthState::healthy);
  EXPECT_EQ(watch.health(kStart + 126s).cause, "tcpdump does not answer");
}

TEST(RecordingWatch, packets_that_are_not_written_are_a_fault) {
  RecordingWatch watch;
  watch.started(kStart);
  for (unsigned i = 1; i < 4; ++i)
    watch.take({i, i, 0}, "a 24", kStart + i * 5s);
  EXPECT_EQ(watch.health(kStart + 15s).state, HealthState::healthy);
  watch.take({4, 4, 0}, "a 24", kStart + 20s);
  EXPECT_EQ(watch.health(kStart + 20s).cause, "the recording does not grow");
  watch.take({5, 5, 0}, "a 100", kStart + 25s);
  EXPECT_EQ(watch.health(kStart + 25s).state, HealthState::healthy);
}

TEST(RecordingWatch, drops_are_told_for_five_minutes) {
  RecordingWatch watch;
  watch.started(kStart);
  watch.take({10, 20, 10}, "a 24", kStart + 5s);
  watch.take({20, 35, 15}, "a 50", kStart + 10s);
  const Health health = watch.health(kStart + 11s);
  EXPECT_EQ(health.state, HealthState::degraded);
  EXPECT_NE(health.evidence.find("15 packets"), std::string::npos);
  watch.take({20, 35, 15}, "a 50", kStart + 305s);
  EXPECT_EQ(watch.health(kStart + 311s).state, HealthState::healthy);
}

}  // namespace
}  // namespace beaconry
