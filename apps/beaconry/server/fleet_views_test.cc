#include "server/fleet_views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/people_views.h"
#include "server/words.h"

namespace beaconry {
namespace {

using testing::HasSubstr;
using testing::Lt;
using testing::Not;

const Timestamp kNow = *parse_rfc3339("2026-11-22T03:00:00Z");

constexpr const char* kFleet = R"({"sensors": 1000,
  "states": {"healthy": 980, "unhealthy": 14, "updating": 0, "offline": 5, "inactive": 1},
  "late": 2, "conflicts": 1, "drift": 3,
  "instances": {"total": 5000, "by_state": {"RUNNING": 4990, "ERRORED": 10}},
  "causes": [
    {"cause": "upstream proxy does not answer", "words": "upstream proxy does not answer: 14 sensors",
     "evidence": "10.0.0.1:3128 refused 12 times", "fix": "start the proxy",
     "sensors": ["s01","s02","s03","s04","s05","s06","s07","s08","s09","s10","s11","s12","s13","s14"],
     "instances": 14, "since": "2026-11-22T00:55:00.000Z"}],
  "rollouts": {"running": 1, "paused": 0, "approval": 1, "reverting": 0}, "key": "00"})";

TEST(FleetViews, StatusTellsEachCauseOnceAndFirst) {
  const auto text = fleet_text(kFleet, kNow);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, R"(  upstream proxy does not answer: 14 sensors
    since      2026-11-22 00:55:00 (2h 5m)
    evidence   10.0.0.1:3128 refused 12 times
    fix        start the proxy
    sensors    s01, s02, s03, s04, s05, s06, s07, s08, s09, s10, s11, s12 and
               2 more
    meets      14 instruments

  sensors       1,000: 14 unhealthy, 5 offline, 980 healthy, 1 inactive
  late          2 sensors, not heard of for 90 s
  conflicts     1 key is used by two systems; `beaconry fleet sensors`
  drift         3 sensors are not as wished; `beaconry fleet diff`
  instruments   5,000: 10 ERRORED, 4,990 RUNNING
  rollouts      1 approval, 1 running; `beaconry fleet rollout list`
)");
}

TEST(FleetViews, StatusOfAFleetThatIsWellSaysSo) {
  const auto text =
      fleet_text(R"({"sensors": 2, "states": {"healthy": 2}, "causes": [], "drift": 0})", kNow);
  EXPECT_THAT(*text, HasSubstr("No sensor tells of a fault."));
  EXPECT_THAT(*text, Not(HasSubstr("drift")));
  EXPECT_THAT(*fleet_text(R"({"sensors": 0})", kNow), HasSubstr("beaconry enroll sensor"));
}

TEST(FleetViews, WhateverAnAnswerHoldsViewsStand) {
  for (const char* json :
       {"{}", R"({"sensors": "x", "causes": [1, {}], "states": [], "instances": 3})",
        R"({"sensors": [1, null, {"labels": 5, "drift": "x", "conflict": []}], "total": -1})",
        R"({"rollouts": [{"plan": 1, "turns": [3], "counts": []}, 2], "groups": [7],
            "images": [null], "versions": [0], "entries": [1, {"before": 3, "after": "x"}],
            "users": [{}]})"}) {
    EXPECT_TRUE(fleet_text(json, kNow));
    EXPECT_TRUE(fleet_sensors_text(json, kNow));
    EXPECT_TRUE(fleet_rollouts_text(json, kNow));
    EXPECT_TRUE(fleet_groups_text(json));
    EXPECT_TRUE(fleet_images_text(json));
    EXPECT_TRUE(fleet_versions_text(json));
    EXPECT_TRUE(users_text(json));
    EXPECT_TRUE(audit_text(json));
    const Json parsed = Json::parse(json);
    EXPECT_FALSE(fleet_sensor_text(parsed, kNow, true).empty());
    EXPECT_FALSE(fleet_rollout_text(parsed, kNow).empty());
    EXPECT_FALSE(fleet_origin_text(parsed).empty());
    EXPECT_FALSE(fleet_change_text(parsed).empty());
    EXPECT_FALSE(fleet_image_text(parsed).empty());
  }
  EXPECT_FALSE(fleet_text("no JSON", kNow));
}

TEST(FleetViews, SensorsTellStateSinceAndWhy) {
  const auto text = fleet_sensors_text(R"({"count": 2, "total": 3, "sensors": [
    {"name": "sensor001", "state": "unhealthy", "since": "2026-11-22T02:59:30.000Z",
     "why": "pool full", "late": true, "heard": "2026-11-22T02:58:10.000Z", "instances": 5,
     "unwell": 1, "drift": 2, "conflict": false},
    {"name": "clone\u001b[2J", "state": "healthy", "since": "2026-11-20T03:00:00.000Z",
     "why": "", "late": false, "heard": null, "instances": 0, "unwell": 0, "drift": 0,
     "conflict": true}]})",
                                       kNow);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text,
              HasSubstr("sensor001         unhealthy  30s      110s late 5      1       2      "
                        "pool full"));
  EXPECT_THAT(*text, HasSubstr("CONFLICT   2d 0h"));
  EXPECT_THAT(*text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(*text, HasSubstr("2 of 3 are shown"));
}

constexpr const char* kSensor = R"({"name": "sensor001", "fingerprint": "ab", "state": "unhealthy",
  "since": "2026-11-22T02:00:00.000Z", "why": "pool full", "late": false,
  "labels": {"site": "oulu", "role": "ot"}, "groups": ["ot"], "version": "1.0",
  "address": "192.0.2.7", "clock_skew": -3.5, "enrolled": "2026-11-01T00:00:00.000Z",
  "heard": "2026-11-22T02:59:50.000Z", "desired_version": 7, "reported_version": 6,
  "conflict": {"since": "2026-11-22T01:00:00.000Z", "last": "2026-11-22T02:00:00.000Z",
    "boots": ["b1", "b2"], "machines": ["m"], "addresses": ["192.0.2.7", "192.0.2.8"]},
  "drift": ["/instances/beacon_0/state: \"running\" -> \"BROKEN\""],
  "causes": [{"cause": "pool full", "subject": "beacon_0", "evidence": "0 B left", "fix": "add"}],
  "desired": {"instances": {"beacon_0": {"image": "9f", "config": {"a/b": 5, "list": [1]}}}},
  "origin": {"/instances/beacon_0/image": "fleet", "/instances/beacon_0/config/a~1b": "group:ot",
    "/instances/beacon_0/config/list": "sensor", "/gone": "fleet", "no pointer": "fleet"},
  "rollouts": [12],
  "reported": {"name": "sensor001", "version": "1.0", "desired_version": 6, "runtime": "LXD 5.0.2",
    "health": {"name": "sensor001", "state": "unhealthy", "cause": "pool full", "parts": []},
    "instances": [{"name": "beacon_0", "state": "BROKEN", "cause": "ended with 1"}]}})";

TEST(FleetViews, ASensorTellsWhatIsWrongAndWhatItHasNotTaken) {
  const std::string text = fleet_sensor_text(Json::parse(kSensor), kNow, false);
  EXPECT_THAT(text, HasSubstr("sensor001: unhealthy since 2026-11-22 02:00:00 (1h 0m)"));
  EXPECT_THAT(text, HasSubstr("version 7; it follows version 6"));
  EXPECT_THAT(text, HasSubstr("3.5s behind the server's"));
  EXPECT_THAT(text, HasSubstr("role=ot,site=oulu"));
  EXPECT_THAT(text, HasSubstr("192.0.2.7, 192.0.2.8"));
  EXPECT_THAT(text, HasSubstr("beacon_0: pool full"));
  EXPECT_THAT(text, HasSubstr("/instances/beacon_0/state: \"running\" -> \"BROKEN\""));
  EXPECT_THAT(text, HasSubstr("BROKEN"));
}

TEST(FleetViews, OriginNamesTheLayerOfEachValue) {
  const std::string text = fleet_origin_text(Json::parse(kSensor));
  EXPECT_THAT(text, HasSubstr("/instances/beacon_0/config/a~1b: 5    # group:ot\n"));
  EXPECT_THAT(text, HasSubstr("/instances/beacon_0/config/list: [1]    # sensor\n"));
  EXPECT_THAT(text, HasSubstr("/instances/beacon_0/image: \"9f\"    # fleet\n"));
  EXPECT_THAT(text, HasSubstr("/gone: -    # fleet\n"));
}

TEST(FleetViews, DriftStandsUnderEachSensorThatHasSome) {
  Json well = Json::parse(kSensor);
  well["drift"] = Json::array();
  well["name"] = "sensor002";
  const std::string text = fleet_drift_text(Json::array({Json::parse(kSensor), well}));
  EXPECT_EQ(text,
            "sensor001 (unhealthy)\n  /instances/beacon_0/state: \"running\" -> \"BROKEN\"\n");
  EXPECT_EQ(fleet_drift_text(Json::array({well})), "Every sensor is as wished.\n");
}

TEST(FleetViews, AChangeTellsWhomItReachesAndWhatItDoes) {
  EXPECT_EQ(fleet_change_text(
                Json::parse(R"({"sensors": 30, "changed": {"s1": ["/a: 1 -> 2"], "s2": []}})")),
            "s1\n  /a: 1 -> 2\nIt reaches 30 sensors, of which 1 are shown.\n");
  EXPECT_EQ(fleet_change_text(Json::parse(R"({"sensors": 1, "changed": {}})")),
            "Nothing changes for 1 sensor.\n");
  EXPECT_EQ(fleet_change_text(Json::parse(R"({"sensors": 0})")), "It reaches no sensor.\n");
}

constexpr const char* kRollout = R"({"id": 12, "target": "group:ot", "phase": "paused",
  "words": "2 failed", "since": "2026-11-22T02:00:00.000Z", "started": "2026-11-22T01:00:00.000Z",
  "who": "anna", "total": 14, "counts": {"waiting": 9, "changing": 0, "done": 3, "failed": 2},
  "widened": [], "plan": {"canary": 1, "max_parallel": 5, "max_failures": 1, "min_healthy_time": 300,
  "healthy_deadline": 1800, "auto_revert": false}, "changes": ["/instances/beacon_0/image: a -> b"],
  "turns": [{"sensor": "well", "stage": "done", "since": "2026-11-22T02:00:00.000Z", "words": ""},
            {"sensor": "sick", "stage": "failed", "since": "2026-11-22T02:00:00.000Z",
             "words": "not healthy within 30m"}]})";

TEST(FleetViews, ARolloutTellsWhyItStandsAndWhatToDo) {
  const std::string text = fleet_rollout_text(Json::parse(kRollout), kNow);
  EXPECT_THAT(text, HasSubstr("Rollout 12 to group:ot: paused since 2026-11-22 02:00:00 (1h 0m)"));
  EXPECT_THAT(text, HasSubstr("`beaconry fleet rollout resume 12`"));
  EXPECT_THAT(text, HasSubstr("14: 2 failed, 9 waiting, 3 done"));
  EXPECT_THAT(text, HasSubstr("1 canary first, then 5 at once"));
  EXPECT_THAT(text.find("sick"), Lt(text.find("well ")));
  EXPECT_EQ(fleet_rollout_line(Json::parse(kRollout)),
            "group:ot  paused: 2 failed, 9 waiting, 3 done (2 failed)");
  EXPECT_FALSE(has_rollout_ended(Json::parse(kRollout)));
  EXPECT_TRUE(has_rollout_ended({{"phase", "reverted"}}));
}

TEST(PeopleViews, TheAuditLogTellsWhatAChangeChanged) {
  const auto text = audit_text(R"({"entries": [
    {"time": "2026-11-22T02:00:01.000Z", "who": "anna", "role": "admin", "address": "192.0.2.1",
     "action": "PATCH /api/v1/users/{name}", "object": "ben", "outcome": "done",
     "before": {"role": "viewer", "disabled": false}, "after": {"role": "admin", "disabled": false}},
    {"time": "2026-11-22T02:00:00.000Z", "who": "eve", "role": "none", "address": "192.0.2.9",
     "action": "POST /api/v1/session", "object": "eve", "outcome": "refused 401"}]})");
  ASSERT_TRUE(text);
  EXPECT_EQ(*text,
            "2026-11-22 02:00:00  eve from 192.0.2.9           refused 401: POST /api/v1/session  "
            "eve\n"
            "2026-11-22 02:00:01  anna from 192.0.2.1          PATCH /api/v1/users/{name}  ben\n"
            "      /role: \"viewer\" -> \"admin\"\n");
}

TEST(PeopleViews, UsersTellTheirRoleAndSecondFactor) {
  const auto text = users_text(R"({"users": [{"name": "anna", "role": "admin", "disabled": true,
    "totp": "on", "last_login": null, "created": "2026-11-22T02:00:00.000Z", "created_by": "init"}]})");
  EXPECT_THAT(*text, HasSubstr("anna              admin     disabled  on       -"));
}

TEST(FleetWords, AnAgeIsNeverNegativeAndNamesAreCut) {
  const Json json = {{"time", "2026-11-22T04:00:00.000Z"}, {"odd", "yesterday"}};
  EXPECT_EQ(age_of(json, "time", kNow), "0s");
  EXPECT_EQ(age_of(json, "odd", kNow), "");
  EXPECT_EQ(since_text(json, "odd", kNow), "yesterday");
  EXPECT_EQ(names_text(Json::parse(R"(["a", 2, "c"])"), 2), "a, 2 and 1 more");
}

}  // namespace
}  // namespace beaconry
