#include "sensor/views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "hunt/output/terminal.h"

namespace beaconry {
namespace {

using testing::HasSubstr;
using testing::Not;

Json beacon() {
  return Json::parse(R"({
    "name": "beacon_0", "version": "1.2", "image": "0123456789abcdef", "wished_image":
    "fedcba9876543210", "state": "RUNNING", "cause": "", "since": "2026-11-22T08:00:01.5Z",
    "starts": 2, "failures": 0, "wants_approval": ["capability net_admin", "memory 64 -> 128 MiB"],
    "update": {"state": "PENDING", "what": "image 1.3", "reason": ""},
    "config": {"state": "APPLIED", "wished": 3, "applied": 3, "reason": ""},
    "health": {"name": "beacon_0", "state": "failed", "cause": "interface probe lost",
      "evidence": "br0 is gone since 08:00", "fix": "make the bridge br0 again",
      "since": "2026-11-22T08:00:02Z",
      "parts": [{"name": "interface probe", "state": "failed", "cause": "interface probe lost"}]},
    "interfaces": [{"name": "probe", "present": false, "carrier": false, "cause": "lost",
      "evidence": "no br0", "fix": "make it", "address": "", "received": 5, "sent": 7,
      "refused_sent": 2, "refused_received": 1}],
    "persistent": {"quota": 1048576, "used": 524288, "days_to_full": 12.3},
    "transient": {"quota": 0, "used": 0},
    "retention": {"overdue": true, "error": "hangs"},
    "events": {"stored": 9, "duplicates": 1, "refused": 0, "malformed": 0},
    "memory": 2097152, "processes": 3, "last_log": "one\ntwo \u001b[31m\n"})");
}

TEST(SensorViews, TheListFitsEightyColumnsAndNamesWhatNeedsAPerson) {
  Json other = {{"name", "detector_0"},
                {"version", "2"},
                {"state", "BROKEN"},
                {"cause", "ended with status 1, five times in a row, and some more words"},
                {"health", {{"state", "unknown"}}}};
  const std::string text = instances_text({{"instances", {beacon(), other}}});
  EXPECT_THAT(text, HasSubstr("beacon_0         1.2       RUNNING    failed    wants approval"));
  EXPECT_THAT(text, HasSubstr("BROKEN"));
  for (const auto line : split(text, '\n'))
    EXPECT_LE(display_width(line), 80U) << line;
  EXPECT_THAT(instances_text(Json::object()), HasSubstr("instrument install"));
}

TEST(SensorViews, OneInstanceIsShownWithCauseEvidenceAndFix) {
  const std::string text = instance_text(beacon());
  EXPECT_THAT(text, HasSubstr("beacon_0 1.2"));
  EXPECT_THAT(text, HasSubstr("RUNNING, failed: interface probe lost"));
  EXPECT_THAT(text, HasSubstr("capability net_admin; memory 64 -> 128 MiB"));
  EXPECT_THAT(text, HasSubstr("instrument approve"));
  EXPECT_THAT(text, HasSubstr("512.0 KiB of 1.0 MiB, full in 12 days"));
  EXPECT_THAT(text, HasSubstr("make the bridge br0 again"));
  EXPECT_THAT(text, HasSubstr("absent"));
  EXPECT_THAT(text, HasSubstr("has not answered"));
  EXPECT_THAT(text, HasSubstr("  one\n  two \\x1b[31m\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("transient")));
  for (const auto line : split(text, '\n'))
    EXPECT_LE(display_width(line), 80U) << line;
}

TEST(SensorViews, WhatIsHealthyIsOneLineUnlessAllIsAskedFor) {
  const Json health = Json::parse(R"({"name": "sensor001", "state": "failed", "cause": "lost",
    "parts": [{"name": "bus", "state": "healthy", "evidence": "up"},
              {"name": "events", "state": "healthy"},
              {"name": "beacon_0", "state": "failed", "cause": "lost", "parts": [
                {"name": "execution", "state": "healthy"},
                {"name": "interface probe", "state": "failed", "fix": "make br0"}]}]})");
  const std::string brief = health_text(health, false);
  EXPECT_THAT(brief, HasSubstr("healthy   bus, events\n"));
  EXPECT_THAT(brief, HasSubstr("healthy   execution\n"));
  EXPECT_THAT(brief, HasSubstr("make br0"));
  EXPECT_THAT(brief, Not(HasSubstr("up\n")));
  const std::string all = health_text(health, true);
  EXPECT_THAT(all, HasSubstr("evidence  up\n"));
  EXPECT_THAT(all, Not(HasSubstr("bus, events")));
}

TEST(SensorViews, OneThatFinishedIsNotCalledHealthy) {
  const Json done = {{"name", "scan_0"}, {"state", "FINISHED"}, {"health", {{"state", "healthy"}}}};
  const std::string text = instances_text({{"instances", {done}}});
  EXPECT_THAT(text, HasSubstr("FINISHED   finished"));
  EXPECT_THAT(text, Not(HasSubstr("healthy")));
}

TEST(SensorViews, LongNamesKeepTheirColumns) {
  const Json events = Json::parse(R"({"events": [
    {"instance": "beacon_0@sensor001", "timestamp": "2026-11-22T08:00:02Z", "type": "b"},
    {"instance": "", "timestamp": "2026-11-22T08:00:01Z", "type": "a"}]})");
  EXPECT_EQ(sensor_events_text(events),
            "2026-11-22 08:00:01  sensor             a\n"
            "2026-11-22 08:00:02  beacon_0@sensor001 b\n");
  Json one = beacon(), other = beacon();
  one["name"] = "network-recorder_12";
  const std::string text = instances_text({{"instances", {one, other}}});
  const auto lines = split(text, '\n');
  EXPECT_EQ(lines[0].find("VERSION"), lines[2].find("1.2"));
  EXPECT_EQ(lines[0].find("VERSION"), lines[3].find("1.2"));
}

TEST(SensorViews, AnEmptyOrOddReportIsNoFault) {
  for (const char* json :
       {"{}", R"({"instances": [1, "a", {}]})", R"({"health": 5, "pool": []})"}) {
    const Json report = Json::parse(json);
    EXPECT_THAT(sensor_text(report, false), HasSubstr("Sensor"));
    EXPECT_FALSE(instance_text(report).empty());
    EXPECT_FALSE(sensor_events_text(report).empty());
    EXPECT_FALSE(document_versions_text(report).empty());
  }
}

TEST(SensorViews, AManagementNetworkOnTrialSaysWhatKeepsIt) {
  Json report = {{"management", {{"state", "none"}}}};
  EXPECT_THAT(sensor_text(report, false), Not(HasSubstr("management")));
  report["management"] = {{"state", "trial"},
                          {"interface", "eth0"},
                          {"until", "2026-11-22T08:02:00Z"},
                          {"addresses", {"10.0.0.5/24"}}};
  EXPECT_THAT(sensor_text(report, false),
              HasSubstr("eth0, 10.0.0.5/24: on trial until 2026-11-22"));
  report["management"] = {
      {"state", "reverted"}, {"interface", "eth0"}, {"reason", "not confirmed within 30 s"}};
  EXPECT_THAT(sensor_text(report, false), HasSubstr("eth0, no address, reverted: not confirmed"));
}

TEST(SensorViews, EventsAreShownOldestFirst) {
  const Json events = Json::parse(R"({"events": [
    {"instance": "beacon_0", "timestamp": "2026-11-22T08:00:02Z", "type": "b", "message": "two"},
    {"instance": "", "timestamp": "2026-11-22T08:00:01Z", "type": "a", "message": ""}]})");
  EXPECT_EQ(sensor_events_text(events),
            "2026-11-22 08:00:01  sensor        a\n"
            "2026-11-22 08:00:02  beacon_0      b\n"
            "                     two\n");
}

TEST(SensorViews, TheStateOfOneThatFailedSaysWhyAndWhenItIsTriedAgain) {
  EXPECT_EQ(state_words({{"state", "ERRORED"},
                         {"cause", "ended with status 1"},
                         {"retry", "2026-11-22T10:02:03Z"}}),
            "ERRORED: ended with status 1; again at 10:02:03");
  Json config = {{"state", "FAILED"}, {"wished", 3}, {"applied", 2}, {"reason", "no such port"}};
  EXPECT_EQ(config_words(config), "version 3 FAILED: no such port; version 2 is in force");
  config["applied"] = 0;
  EXPECT_EQ(config_words(config), "version 3 FAILED: no such port; none is in force");
  config["applied"] = 3;  // a server's document that brings no version of its own
  EXPECT_EQ(config_words(config), "version 3 FAILED: no such port");
  config["state"] = "APPLIED";
  EXPECT_EQ(config_words(config), "");
  EXPECT_EQ(state_words({{"state", "RUNNING"}, {"health", {{"state", "healthy"}}}}),
            "RUNNING, healthy");
}

}  // namespace
}  // namespace beaconry
