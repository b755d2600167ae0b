#include "sdk/health_history.h"

#include <gtest/gtest.h>

namespace beaconry::sdk {
namespace {

using namespace std::chrono_literals;

const Timestamp kStart{1h};

Health part(const std::string& name, HealthState state, const std::string& cause = {}) {
  Health health;
  health.name = name;
  health.state = state;
  health.cause = cause;
  return health;
}

Health whole(HealthState state, std::vector<Health> parts) {
  Health health;
  health.state = state;
  health.parts = std::move(parts);
  return health;
}

TEST(HealthHistoryTest, AWholeIsAsBadAsItsWorstPartAndHasItsCause) {
  HealthHistory history;
  Health inner = part("storage", HealthState::healthy);
  inner.parts = {part("disk", HealthState::failed, "disk is gone")};
  const Health health = history.complete(
      whole(HealthState::healthy, {part("net", HealthState::degraded, "slow"), inner}), "beacon_0",
      kStart);
  EXPECT_EQ(health.name, "beacon_0");
  EXPECT_EQ(health.state, HealthState::failed);
  EXPECT_EQ(health.cause, "disk is gone");
  EXPECT_EQ(health.parts[1].state, HealthState::failed);
  EXPECT_EQ(health.parts[0].state, HealthState::degraded);
}

TEST(HealthHistoryTest, AnAuthorMaySayWorseButNotBetter) {
  HealthHistory history;
  Health health = whole(HealthState::failed, {part("net", HealthState::degraded, "slow")});
  health.cause = "no work done";
  EXPECT_EQ(history.complete(health, "a_0", kStart).cause, "no work done");
  EXPECT_EQ(history.complete(health, "a_0", kStart).state, HealthState::failed);
  EXPECT_EQ(
      history
          .complete(whole(HealthState::unknown, {part("net", HealthState::healthy)}), "a_0", kStart)
          .state,
      HealthState::healthy);
  EXPECT_EQ(
      history
          .complete(whole(HealthState::healthy, {part("net", HealthState::unknown)}), "a_0", kStart)
          .state,
      HealthState::unknown);
}

TEST(HealthHistoryTest, EveryPartKnowsSinceWhen) {
  HealthHistory history;
  const auto ask = [&](HealthState net, HealthState disk, Timestamp now) {
    return history.complete(whole(HealthState::healthy, {part("net", net), part("disk", disk)}),
                            "a_0", now);
  };
  ask(HealthState::healthy, HealthState::healthy, kStart);
  Health later = ask(HealthState::failed, HealthState::healthy, kStart + 1min);
  EXPECT_EQ(later.since, kStart + 1min);
  EXPECT_EQ(later.parts[0].since, kStart + 1min);
  EXPECT_EQ(later.parts[1].since, kStart);
  later = ask(HealthState::failed, HealthState::failed, kStart + 2min);
  EXPECT_EQ(later.since, kStart + 1min);
  EXPECT_EQ(later.parts[1].since, kStart + 2min);
  // The clock was set back: nothing lasts since a time that is still to come.
  later = ask(HealthState::failed, HealthState::failed, kStart);
  EXPECT_EQ(later.parts[1].since, kStart);
}

}  // namespace
}  // namespace beaconry::sdk
