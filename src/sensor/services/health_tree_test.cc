#include "sensor/services/health_tree.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::hours{24 * 365 * 50}};

Health health(const std::string& name, HealthState state, const std::string& cause = "",
              const std::string& evidence = "") {
  Health one;
  one.name = name;
  one.state = state;
  one.cause = cause;
  one.evidence = evidence;
  return one;
}

InstanceReport running() {
  InstanceReport report;
  report.name = "beacon_0";
  report.state = InstanceState::running;
  InterfaceReport interface;
  interface.name = "probe";
  interface.present = interface.carrier = true;
  report.interfaces.push_back(interface);
  return report;
}

TEST(InstanceHealth, IsHealthyWhereAllPartsAre) {
  const Health whole =
      instance_health(running(), health("instrument", HealthState::healthy), {}, kNow);
  EXPECT_EQ(whole.name, "beacon_0");
  EXPECT_EQ(whole.state, HealthState::healthy);
  EXPECT_EQ(whole.cause, "");
  EXPECT_EQ(whole.since, kNow);
}

TEST(InstanceHealth, ALostInterfaceIsTheCauseOfWhatTheInstrumentSays) {
  InstanceReport report = running();
  report.interfaces[0].present = false;
  report.interfaces[0].cause = "interface eth1 lost";
  report.interfaces[0].fix = "plug it in";
  const Health whole = instance_health(
      report, health("instrument", HealthState::failed, "no attempts for 60 s"), {}, kNow);
  EXPECT_EQ(whole.state, HealthState::failed);
  EXPECT_EQ(whole.cause, "interface eth1 lost");
  EXPECT_EQ(whole.fix, "plug it in");
}

TEST(InstanceHealth, OwnWordsCountWhereThePlatformSeesNoCause) {
  Health own = health("instrument", HealthState::degraded);
  own.parts.push_back(health("attempts", HealthState::degraded, "no attempts", "last 60 s ago"));
  const Health whole = instance_health(running(), own, {}, kNow);
  EXPECT_EQ(whole.state, HealthState::degraded);
  EXPECT_EQ(whole.cause, "no attempts");
  EXPECT_EQ(whole.evidence, "last 60 s ago");
}

TEST(InstanceHealth, OneThatIsBrokenHasFailedWhateverItSaidBefore) {
  InstanceReport report = running();
  report.state = InstanceState::broken;
  report.cause = "ended 5 times in a row";
  const Health whole =
      instance_health(report, health("instrument", HealthState::healthy), {}, kNow);
  EXPECT_EQ(whole.state, HealthState::failed);
  EXPECT_EQ(whole.cause, "ended 5 times in a row");
  EXPECT_NE(whole.fix, "");
}

struct StorageCase {
  std::uint64_t used;
  std::optional<double> days;
  HealthState state;
};

TEST(InstanceHealth, StorageThatFillsUpIsToldBeforeItIsFull) {
  for (const StorageCase& one :
       {StorageCase{10, std::nullopt, HealthState::healthy},
        StorageCase{10, 30.0, HealthState::healthy}, StorageCase{50, 1.5, HealthState::degraded},
        StorageCase{91, std::nullopt, HealthState::degraded},
        StorageCase{99, std::nullopt, HealthState::failed}}) {
    InstanceReport report = running();
    report.persistent = {100, one.used, one.days};
    EXPECT_EQ(instance_health(report, health("instrument", HealthState::healthy), {}, kNow).state,
              one.state)
        << one.used;
  }
}

TEST(InstanceHealth, FailedConfigurationAndOverdueRetentionDegrade) {
  InstanceReport report = running();
  report.config = {ConfigState::failed, 2, 1, "bad"};
  EXPECT_EQ(instance_health(report, health("instrument", HealthState::healthy), {}, kNow).cause,
            "configuration failed");
  report = running();
  report.retention.overdue = true;
  const Health whole =
      instance_health(report, health("instrument", HealthState::healthy), {}, kNow);
  EXPECT_EQ(whole.state, HealthState::degraded);
  EXPECT_EQ(whole.cause, "retention overdue");
}

TEST(InstanceHealth, KeepsSinceWhileTheStateStays) {
  InstanceReport report = running();
  const Health own = health("instrument", HealthState::healthy);
  report.health = instance_health(report, own, {}, kNow);
  report.health = instance_health(report, own, {}, kNow + std::chrono::hours{1});
  EXPECT_EQ(report.health.since, kNow);
  report.interfaces[0].present = false;
  report.health = instance_health(report, own, {}, kNow + std::chrono::hours{2});
  EXPECT_EQ(report.health.since, kNow + std::chrono::hours{2});
  EXPECT_EQ(report.health.parts[0].since, kNow);  // execution is as it was
}

TEST(WholeHealth, ALostInterfaceIsOneCauseNotFive) {
  std::vector<Health> parts;
  for (int n = 0; n < 5; ++n) {
    parts.push_back(health("beacon_" + std::to_string(n), HealthState::degraded,
                           "interface eth1 lost", "seen by " + std::to_string(n)));
  }
  parts[3].state = HealthState::failed;
  parts.push_back(health("detector_0", HealthState::degraded, "drops packets"));
  parts.push_back(health("downloader_0", HealthState::healthy));
  const Health whole = whole_health("sensor001", parts);
  ASSERT_EQ(whole.parts.size(), 3U);
  EXPECT_EQ(whole.parts[0].name, "beacon_0, beacon_1, beacon_2, beacon_3, beacon_4");
  EXPECT_EQ(whole.parts[0].parts.size(), 5U);
  EXPECT_EQ(whole.parts[0].state, HealthState::failed);
  EXPECT_NE(whole.parts[0].evidence.find("seen by 4"), std::string::npos);
  EXPECT_EQ(whole.state, HealthState::failed);
  EXPECT_EQ(whole.cause, "interface eth1 lost");
}

TEST(WholeHealth, HealthyPartsStayApart) {
  const Health whole = whole_health(
      "sensor001", {health("a_0", HealthState::healthy), health("b_0", HealthState::healthy)});
  EXPECT_EQ(whole.parts.size(), 2U);
  EXPECT_EQ(whole.state, HealthState::healthy);
}

}  // namespace
}  // namespace beaconry
