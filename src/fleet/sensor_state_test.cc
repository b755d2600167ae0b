#include "fleet/sensor_state.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "fleet/test_report.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using test::report;

const Timestamp kStart = *parse_rfc3339("2026-11-20T08:00:00Z");

const char* const kSick = R"("health":{"name":"s1","state":"failed","parts":[
    {"name":"beacon_0","state":"failed","parts":[{"name":"proxy","state":"failed",
     "cause":"upstream proxy does not answer","evidence":"timeout","fix":"look at 10.0.0.9"}]}]},
    "instances":[{"name":"beacon_0","state":"RUNNING","health":{"name":"beacon_0","state":"failed",
     "parts":[{"name":"proxy","state":"failed","cause":"upstream proxy does not answer",
     "evidence":"timeout","fix":"look at 10.0.0.9"}]}}])";
const char* const kInstalling = R"("health":{"name":"s1","state":"failed","parts":[
    {"name":"beacon_0","state":"failed","cause":"not up"}]},
    "instances":[{"name":"beacon_0","state":"STARTING","update":{"state":"INSTALLING"}}])";

SensorMemory enrolled() {
  SensorMemory memory;
  memory.enrolled = kStart;
  return memory;
}

TEST(SensorState, OfOneThatNeverCameIsOfflineSinceItsEnrolment) {
  const SensorStanding standing = stand(enrolled(), {}, kStart + 1s);
  EXPECT_EQ(standing.state, SensorState::offline);
  EXPECT_EQ(standing.since, kStart);
  EXPECT_NE(standing.why.find("join"), std::string::npos);
}

TEST(SensorState, IsLateLongBeforeItIsOffline) {
  SensorMemory memory = enrolled();
  hear(memory, report(), kStart);
  EXPECT_FALSE(stand(memory, {}, kStart + 89s).late);
  const SensorStanding late = stand(memory, {}, kStart + kOfflineAfter - 1us);
  EXPECT_TRUE(late.late);
  EXPECT_EQ(late.state, SensorState::healthy);
  EXPECT_EQ(stand(memory, {}, kStart + kOfflineAfter).state, SensorState::offline);
  EXPECT_EQ(stand(memory, {}, kStart + kInactiveAfter - 1us).state, SensorState::offline);
  const SensorStanding gone = stand(memory, {}, kStart + kInactiveAfter + 1h);
  EXPECT_EQ(gone.state, SensorState::inactive);
  EXPECT_EQ(gone.since, kStart + kInactiveAfter);
  EXPECT_EQ(stand(memory, {}, kStart - 24h).state, SensorState::healthy);  // the clock was set back
}

TEST(SensorState, KeepsItsSinceThroughEqualReportsAndBeginsAnewAfterAnAbsence) {
  SensorMemory memory = enrolled();
  hear(memory, report(), kStart);
  hear(memory, report(), kStart + 60s);
  EXPECT_EQ(stand(memory, {}, kStart + 61s).since, kStart);
  hear(memory, report(kSick), kStart + 120s);
  EXPECT_EQ(stand(memory, {}, kStart + 121s).since, kStart + 120s);
  hear(memory, report(kSick), kStart + 1h);
  EXPECT_EQ(stand(memory, {}, kStart + 1h).since, kStart + 1h);
}

TEST(SensorState, NamesTheRootOnce) {
  SensorMemory memory = enrolled();
  hear(memory, report(kSick), kStart);
  const SensorStanding standing = stand(memory, {}, kStart);
  EXPECT_EQ(standing.state, SensorState::unhealthy);
  ASSERT_EQ(standing.causes.size(), 1U);
  EXPECT_EQ(standing.why, "beacon_0: upstream proxy does not answer");
  EXPECT_EQ(standing.causes[0].fix, "look at 10.0.0.9");
}

TEST(SensorState, IsUpdatingWhileAnInstanceChangesThoughThatIsUnwell) {
  SensorMemory memory = enrolled();
  hear(memory, report(kInstalling), kStart);
  EXPECT_EQ(stand(memory, {}, kStart).state, SensorState::updating);
  hear(memory, report(std::string(kInstalling) + R"(,"runtime_fault":"no socket")"), kStart + 5s);
  EXPECT_EQ(stand(memory, {}, kStart + 5s).state, SensorState::unhealthy);
}

TEST(SensorState, IsUpdatingUntilItHasTheNewestVersionButNotForEver) {
  SensorMemory memory = enrolled();
  hear(memory, report(R"("desired_version":6)"), kStart);
  EXPECT_EQ(stand(memory, {6, kStart}, kStart).state, SensorState::healthy);
  const SensorWish wish{7, kStart + 10s};
  EXPECT_EQ(stand(memory, wish, kStart + 20s).state, SensorState::updating);
  EXPECT_EQ(stand(memory, wish, kStart + 20s).since, kStart + 10s);
  for (Duration at = 60s; at <= 3h; at += 60s)
    hear(memory, report(R"("desired_version":6)"), kStart + at);
  const SensorStanding stuck = stand(memory, wish, kStart + 3h);
  EXPECT_EQ(stuck.state, SensorState::unhealthy);
  EXPECT_EQ(stuck.since, kStart + 10s + kLongestUpdate);
}

TEST(FleetCauses, AreOneForAllSensorsThatHaveTheSameRoot) {
  std::vector<std::pair<std::string, SensorStanding>> sensors;
  for (int i = 0; i < 14; ++i) {
    SensorMemory memory = enrolled();
    hear(memory, report(kSick), kStart + std::chrono::seconds(i));
    sensors.emplace_back("s" + std::to_string(i), stand(memory, {}, kStart + 20s));
  }
  SensorMemory other = enrolled();
  hear(other, report(R"("runtime_fault":"no socket")"), kStart);
  sensors.emplace_back("a", stand(other, {}, kStart));
  const auto causes = collapse(sensors);
  ASSERT_EQ(causes.size(), 2U);
  EXPECT_EQ(causes[0].words(), "upstream proxy does not answer: 14 sensors");
  EXPECT_EQ(causes[0].instances, 14U);
  EXPECT_EQ(causes[0].since, kStart);
  EXPECT_EQ(causes[0].fix, "look at 10.0.0.9");
  EXPECT_EQ(causes[1].words(), "the container runtime is away: a");
}

// Reports of any kind at any distance.
RC_GTEST_PROP(SensorState, IsAFunctionOfReportsAndClock, ()) {
  const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 4000), rc::gen::inRange(0, 3)));
  static const Reported kReports[] = {report(), report(kSick), report(kInstalling)};
  SensorMemory memory = enrolled();
  Timestamp now = kStart;
  for (const auto& [wait, kind] : steps) {
    const auto before = stand(memory, {}, now);
    now += std::chrono::seconds(wait);
    const auto silent = stand(memory, {}, now);
    RC_ASSERT(silent.since <= now && silent.since >= before.since);
    if (silent.state == before.state) RC_ASSERT(silent.since == before.since);
    // Late is not offline, and silence never makes well.
    const bool away = silent.state == SensorState::offline || silent.state == SensorState::inactive;
    RC_ASSERT(away == (!memory.heard || now - *memory.heard >= kOfflineAfter));
    if (silent.state == SensorState::healthy) RC_ASSERT(before.state == SensorState::healthy);
    hear(memory, kReports[static_cast<std::size_t>(kind)], now);
    const auto heard = stand(memory, {}, now);
    RC_ASSERT(!heard.late && heard.since <= now);
    RC_ASSERT(heard.state == SensorState::unhealthy || kind != 1);
    RC_ASSERT((heard.state == SensorState::healthy) == (kind == 0));
    RC_ASSERT(heard.causes.empty() == (heard.state != SensorState::unhealthy));
  }
}

}  // namespace
}  // namespace beaconry
