#include "sensor/fleet/report_body.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace beaconry {
namespace {

SensorReport make_report() {
  SensorReport report;
  report.name = "sensor001";
  report.desired_version = 40;
  report.fleet.version = 7;
  InstanceReport instance;
  instance.name = "beacon_0";
  InterfaceReport interface;
  interface.name = "probe";
  instance.interfaces.push_back(interface);
  report.instances.push_back(instance);
  return report;
}

TEST(ReportBody, TellsTheVersionOfTheServersDocument) {
  const auto body = nlohmann::json::parse(report_body(make_report(), {"b", "m", 5}));
  EXPECT_EQ(body["boot"], "b");
  EXPECT_EQ(body["machine"], "m");
  EXPECT_EQ(body["sequence"], 5);
  EXPECT_EQ(body["reported"]["desired_version"], 7);
  EXPECT_EQ(body["reported"]["format"], 1);
}

TEST(ReportBody, HasNoTextAndNoListThatTheServerWouldRefuse) {
  SensorReport report = make_report();
  report.instances[0].cause = std::string(9000, 'x');
  report.instances[0].health.evidence = std::string(9000, '\xc3');
  report.problems.assign(5000, "a problem");
  const auto body = nlohmann::json::parse(report_body(report, {"b", "m", 5}));
  EXPECT_LE(body["reported"]["instances"][0]["cause"].get<std::string>().size(), 4096U);
  EXPECT_LE(body["reported"]["instances"][0]["health"]["evidence"].get<std::string>().size(),
            4096U);
  EXPECT_LE(body["reported"]["problems"].size(), 256U);
}

TEST(ReportMeaning, IsTheSameWhileOnlyTimePassesAndCountersCount) {
  SensorReport before = make_report(), after = before;
  after.now += std::chrono::seconds{5};
  after.pool.used = 9;
  after.fleet.heard = after.now;
  after.instances[0].memory = 9;
  after.instances[0].interfaces[0].received = 9;
  after.instances[0].events.stored = 9;
  EXPECT_EQ(report_meaning(before), report_meaning(after));
  after.instances[0].state = InstanceState::broken;
  EXPECT_NE(report_meaning(before), report_meaning(after));
  after = before;
  after.instances[0].interfaces[0].cause = "interface probe lost";
  EXPECT_NE(report_meaning(before), report_meaning(after));
  after = before;
  after.fleet.version = 8;
  EXPECT_NE(report_meaning(before), report_meaning(after));
}

TEST(ReportHead, NamesTheRunningSystem) {
  const ReportHead head = read_report_head();
  EXPECT_FALSE(head.boot.empty());
  EXPECT_FALSE(head.machine.empty());
  const std::uint64_t first = since_boot();
  EXPECT_GE(since_boot(), first);
}

}  // namespace
}  // namespace beaconry
