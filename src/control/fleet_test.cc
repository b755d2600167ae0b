#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config/keys.h"
#include "control/authority.h"
#include "control/test_fleet.h"
#include "uplink/signed_report.h"
#include "uplink/zstd_frame.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
using test::Events;
using test::Machine;
using testing::ElementsAre;
using testing::HasSubstr;

const Json kBeacon = {{"image", "aa"}, {"config", {{"every", 60}}}};

class FleetTest : public test::FleetServer {};

TEST_F(FleetTest, WhatIsWishedReachesTheSensorSignedAndItsReportComesBack) {
  Machine sensor = machine();
  const Json joined = sensor.join(token("oulu-1"));
  EXPECT_EQ(joined["name"], "oulu-1");
  EXPECT_EQ(joined["fleet_key"], get("/api/v1/fleet")["key"]);
  EXPECT_EQ(get("/api/v1/fleet/sensors/oulu-1")["state"], "offline");

  const auto stream = sensor.listen();
  EXPECT_EQ(put("fleet", {{"instances", {{"beacon_0", kBeacon}}}})["version"], 1);
  const SignedDocument first = sensor.document(*stream);
  EXPECT_EQ(first.version, 1U);
  EXPECT_EQ(Json::parse(first.document)["instances"]["beacon_0"], kBeacon);
  EXPECT_EQ(Json::parse(first.origin)["/instances/beacon_0/config/every"], "fleet");

  put("sensor:oulu-1", {{"instances", {{"beacon_0", {{"config", {{"every", 5}}}}}}}});
  const SignedDocument second = sensor.document(*stream);
  EXPECT_EQ(second.version, 2U);
  EXPECT_EQ(Json::parse(second.document)["instances"]["beacon_0"]["config"]["every"], 5);
  EXPECT_EQ(Json::parse(second.origin)["/instances/beacon_0/config/every"], "sensor");

  const HttpResponse answer = sensor.report(
      R"("desired_version":2,"instances":[{"name":"beacon_0","image":"bb","state":"RUNNING",)"
      R"("health":{"name":"beacon_0","state":"healthy"}}])");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(Json::parse(answer.body)["desired_version"], 2);
  const Json shown = get("/api/v1/fleet/sensors/oulu-1");
  EXPECT_EQ(shown["state"], "healthy");
  EXPECT_EQ(shown["reported_version"], 2);
  EXPECT_EQ(shown["desired"]["instances"]["beacon_0"]["config"]["every"], 5);
  EXPECT_EQ(shown["origin"]["/instances/beacon_0/image"], "fleet");
  EXPECT_EQ(shown["reported"]["instances"][0]["image"], "bb");
  EXPECT_THAT(shown["drift"], ElementsAre(R"(/instances/beacon_0/image: "aa" -> "bb")"));
  const Json row = get("/api/v1/fleet/sensors?state=healthy&text=OULU")["sensors"][0];
  EXPECT_EQ(row["drift"], 1);
  EXPECT_EQ(row["instances"], 1);
  const Json all = get("/api/v1/fleet");
  EXPECT_EQ(all["sensors"], 1);
  EXPECT_EQ(all["states"]["healthy"], 1);
  EXPECT_EQ(all["instances"]["by_state"]["RUNNING"], 1);
}

TEST_F(FleetTest, ASensorThatWasAwayGetsTheNewestAlone) {
  const Machine sensor = joined("s1");
  for (int i = 1; i <= 3; ++i) {
    put("fleet", {{"instances", {{"beacon_0", {{"image", "aa"}, {"config", {{"every", i}}}}}}}});
  }
  const auto stream = sensor.listen();
  EXPECT_EQ(sensor.document(*stream).version, 3U);
  // Who has it is told nothing until there is more; a new stream of the key ends the one before.
  const auto again = sensor.listen(3);
  EXPECT_FALSE(stream->next());
  put("fleet", Json::object());
  EXPECT_EQ(sensor.document(*again).version, 4U);
}

TEST_F(FleetTest, WhatWasAnsweredOutlivesTheServerAndVersionsOnlyGrow) {
  Machine sensor = joined("s1");
  put("fleet", {{"instances", {{"beacon_0", kBeacon}}}});
  sensor.report(R"("desired_version":1)");
  start();
  EXPECT_EQ(get("/api/v1/fleet/desired/fleet")["document"]["instances"]["beacon_0"], kBeacon);
  const auto stream = sensor.listen();
  EXPECT_EQ(sensor.document(*stream).version, 1U);
  EXPECT_EQ(get("/api/v1/fleet/sensors/s1")["reported_version"], 1);
  // A server that was restored from a back-up goes on above what its sensors have.
  const auto later = sensor.listen(40);
  EXPECT_EQ(sensor.document(*later).version, 41U);
  const HttpResponse answer = sensor.report(R"("desired_version":50)");
  EXPECT_EQ(Json::parse(answer.body)["desired_version"], 51);
  EXPECT_EQ(sensor.document(*later).version, 51U);
}

TEST_F(FleetTest, OnlyAnEnrolledSensorSpeaksForItself) {
  Machine stranger = machine();
  EXPECT_EQ(stranger.report().status, 401);
  EXPECT_EQ(send("PUT", "/api/v1/fleet/self/reported", test::report_text()).status, 403);
  EXPECT_EQ(send("GET", "/api/v1/fleet/self/stream").status, 403);
  Machine collector = machine();
  const Json made = call("POST", "/api/v1/enrollments", {{"kind", "collector"}, {"name", "c"}});
  collector.send("POST", "/api/v1/enroll",
                 Json{{"token", made["token"]}, {"kind", "collector"}, {"name", "c"}}.dump());
  EXPECT_EQ(collector.report().status, 403);
  EXPECT_EQ(collector.send("GET", "/api/v1/fleet").status, 403);

  Machine sensor = joined("s1");
  EXPECT_EQ(sensor.report().status, 200);
  EXPECT_EQ(sensor.send("GET", "/api/v1/fleet/sensors").status, 403);
  const auto stream = sensor.listen();
  call("DELETE", "/api/v1/fleet/sensors/s1");
  EXPECT_FALSE(stream->next());
  EXPECT_EQ(sensor.report().status, 401);
  EXPECT_EQ(get("/api/v1/fleet")["sensors"], 0);
}

TEST_F(FleetTest, AReportMayBePackedButNotABomb) {
  Machine sensor = joined("s1");
  const std::string text = test::report_text(R"("version":"9.9")");
  const auto packed = [&](const std::string& plain) {
    return sensor.send("PUT", "/api/v1/fleet/self/reported", uplink::compress(plain, 3),
                       {{"content-encoding", "zstd"}});
  };
  EXPECT_EQ(packed(test::report_text()).status, 200);
  EXPECT_EQ(packed(std::string(std::size_t{64} << 20, ' ')).status, 400);
  EXPECT_EQ(sensor.send("PUT", "/api/v1/fleet/self/reported", "{").status, 400);
  EXPECT_EQ(
      sensor.send("PUT", "/api/v1/fleet/self/reported", "{}", {{"content-encoding", "br"}}).status,
      400);
}

TEST_F(FleetTest, ALayerThatDoesNotFitIsRefusedByItsPlaceAndChangesNothing) {
  const Machine sensor = joined("s1");
  const auto refused = [&](const Json& document, int status) {
    return call("PUT", "/api/v1/fleet/desired/fleet", document, status)["error"].get<std::string>();
  };
  EXPECT_THAT(refused({{"document", {{"instances", {{"beacon_0", {{"runing", true}}}}}}}}, 400),
              HasSubstr("fleet /instances/beacon_0/runing"));
  EXPECT_THAT(refused({{"document", {{"instances", {{"beacon_0", {{"running", true}}}}}}}}, 400),
              HasSubstr("s1: fleet /instances/beacon_0"));
  EXPECT_THAT(refused({{"document", Json::object()}, {"expected_version", 7}}, 409),
              HasSubstr("its version is 0, not 7"));
  EXPECT_THAT(refused({{"documents", Json::object()}}, 400), HasSubstr("documents"));
  EXPECT_EQ(get("/api/v1/fleet/desired/fleet")["version"], 0);
  call("PUT", "/api/v1/fleet/desired/group:no", {{"document", Json::object()}}, 404);
  call("PUT", "/api/v1/fleet/desired/x", {{"document", Json::object()}}, 400);
}

TEST_F(FleetTest, TheKeyIsMadeOnceAndForItsOwnerAlone) {
  const std::string path = folder_ + "/state/fleet.key";
  const auto status = std::filesystem::status(path);
  EXPECT_EQ(status.permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const std::string key = get("/api/v1/fleet")["key"];
  start();
  EXPECT_EQ(get("/api/v1/fleet")["key"], key);
  local_.reset();
  control_.reset();
  std::ofstream(path) << "beaconry-document-key 1 00\n";
  Control::Options options;
  options.file = config();
  options.clock = [this] { return now(); };
  const auto opened = Control::open(std::move(options));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message(), HasSubstr("fleet.key"));
}

TEST_F(FleetTest, AKeyThatIsLostIsNotReplacedInSilence) {
  joined("s1");
  const std::string path = folder_ + "/state/fleet.key";
  const std::string key = get("/api/v1/fleet")["key"];
  local_.reset();
  control_.reset();
  std::filesystem::rename(path, path + ".lost");
  const auto open = [&] {
    Control::Options options;
    options.file = config();
    options.clock = [this] { return now(); };
    return Control::open(std::move(options));
  };
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr(path));
  EXPECT_THAT(refused.error().message(), HasSubstr("init --new-fleet-key"));
  const ConfigValues values = *ConfigValues::read(config_schema(), config());
  EXPECT_FALSE(initialise(values, {}, now()));
  EXPECT_TRUE(initialise(values, {}, now(), true));
  start();
  EXPECT_NE(get("/api/v1/fleet")["key"], key);
  local_.reset();
  control_.reset();
  std::filesystem::rename(path + ".lost", path);
  start();
  EXPECT_EQ(get("/api/v1/fleet")["key"], key);
}

TEST_F(FleetTest, ANameThatACrashCutOffIsTheSameEverywhereAfterTheStart) {
  const Machine sensor = joined("s1");
  ASSERT_TRUE(control_->fleet().rename(sensor.key, "kemi-1"));  // and then the power went
  EXPECT_EQ(control_->enrolled().find(sensor.key)->name, "s1");
  start();
  EXPECT_EQ(control_->enrolled().find(sensor.key)->name, "kemi-1");
}

TEST_F(FleetTest, LabelsAndGroupsDecideWhoGetsWhat) {
  const Machine oulu = joined("oulu-1"), turku = joined("turku-1");
  call("PATCH", "/api/v1/fleet/sensors/oulu-1", {{"labels", {{"site", "oulu"}}}});
  const auto stream = oulu.listen();
  call("PUT", "/api/v1/fleet/groups/oulu", {{"selector", "site=oulu"}, {"priority", 7}});
  call("PUT", "/api/v1/fleet/desired/group:oulu",
       {{"document", {{"instances", {{"beacon_0", kBeacon}}}}}, {"expected_version", 0}});
  EXPECT_EQ(Json::parse(oulu.document(*stream).origin)["/instances/beacon_0/image"], "group:oulu");
  const Json group = get("/api/v1/fleet/groups")["groups"][0];
  EXPECT_EQ(group, (Json{{"name", "oulu"},
                         {"selector", "site=oulu"},
                         {"priority", 7},
                         {"sensors", 1},
                         {"version", 1},
                         {"instances", {"beacon_0"}}}));
  EXPECT_EQ(get("/api/v1/fleet/sensors?labels=site=oulu")["sensors"][0]["groups"], (Json{"oulu"}));
  EXPECT_EQ(get("/api/v1/fleet/sensors/turku-1")["desired_version"], 0);
  const Json tried = call("PATCH", "/api/v1/fleet/desired/group:oulu",
                          {{"patch", {{"instances", {{"beacon_0", {{"config", {{"every", 7}}}}}}}}},
                           {"dry_run", true}});
  EXPECT_EQ(tried["changed"]["oulu-1"][0], "/instances/beacon_0/config/every: 60 -> 7");
  EXPECT_EQ(tried["version"], 1);

  // What its instruments send is told under the new name, too.
  EXPECT_EQ(call("PATCH", "/api/v1/fleet/sensors/oulu-1", {{"name", "kemi-1"}})["name"], "kemi-1");
  EXPECT_EQ(control_->enrolled().find(oulu.key)->name, "kemi-1");
  call("PATCH", "/api/v1/fleet/sensors/kemi-1", {{"name", "turku-1"}, {"labels", Json::object()}},
       400);
  EXPECT_EQ(get("/api/v1/fleet/sensors/kemi-1")["labels"]["site"], "oulu");
  call("PATCH", "/api/v1/fleet/sensors/kemi-1", {{"labels", {{"site", "a b"}}}}, 400);
  call("PATCH", "/api/v1/fleet/sensors/kemi-1", {{"labels", {{"site", 1}}}}, 400);
  // A trial changes nothing; what is not named stays.
  const Json going = call("PATCH", "/api/v1/fleet/sensors/kemi-1",
                          {{"labels", {{"site", nullptr}}}, {"dry_run", true}});
  EXPECT_EQ(going["lost"], (Json{"beacon_0@kemi-1"}));
  const Json gone = call("DELETE", "/api/v1/fleet/groups/oulu?dry_run=true");
  EXPECT_EQ(gone["lost"], (Json{"beacon_0@kemi-1"}));
  const Json others =
      call("PUT", "/api/v1/fleet/groups/oulu", {{"selector", "site=turku"}, {"dry_run", true}});
  EXPECT_EQ(others["lost"], (Json{"beacon_0@kemi-1"}));
  const Json labelled =
      call("PATCH", "/api/v1/fleet/sensors/kemi-1", {{"labels", {{"role", "lab"}}}});
  EXPECT_EQ(labelled["labels"], (Json{{"role", "lab"}, {"site", "oulu"}}));
  call("PATCH", "/api/v1/fleet/sensors/kemi-1", {{"nam", "x"}}, 400);
  call("PUT", "/api/v1/fleet/groups/oulu", {{"selector", ""}}, 400);
  call("DELETE", "/api/v1/fleet/groups/oulu");
  EXPECT_EQ(Json::parse(oulu.document(*stream).document)["instances"], Json::object());
  call("DELETE", "/api/v1/fleet/groups/oulu", {}, 404);
  EXPECT_EQ(get("/api/v1/fleet/desired/sensor:kemi-1/history")["versions"], Json::array());
  call("POST", "/api/v1/fleet/desired/sensor:kemi-1/rollback", {{"version", 1}}, 404);
  call("POST", "/api/v1/fleet/desired/fleet/rollback", {{"expected_version", 1}}, 400);
}

TEST_F(FleetTest, AnotherMachineTakesASensorsPlace) {
  Machine old = joined("s1");
  call("PATCH", "/api/v1/fleet/sensors/s1", {{"labels", {{"site", "oulu"}}}});
  put("sensor:s1", {{"instances", {{"beacon_0", kBeacon}}}});
  EXPECT_EQ(old.report().status, 200);
  const Json made = call("POST", "/api/v1/fleet/sensors/s1/replace");
  EXPECT_THAT(made["join"].get<std::string>(), HasSubstr(made["token"].get<std::string>()));
  EXPECT_EQ(old.report().status, 200);  // until then
  Machine next = machine();
  EXPECT_EQ(next.join(made["token"])["name"], "s1");
  EXPECT_EQ(old.report().status, 401);
  EXPECT_EQ(next.report().status, 200);
  const Json sensor = get("/api/v1/fleet/sensors/s1");
  EXPECT_EQ(sensor["fingerprint"], next.key);
  EXPECT_EQ(sensor["labels"]["site"], "oulu");
  EXPECT_EQ(get("/api/v1/fleet")["sensors"], 1);
  const auto stream = next.listen();
  EXPECT_EQ(Json::parse(next.document(*stream).document)["instances"]["beacon_0"], kBeacon);
  EXPECT_EQ(next.join(made["token"])["name"], "s1");  // its answer may have been lost
  start();
  EXPECT_EQ(get("/api/v1/fleet/sensors/s1")["fingerprint"], next.key);
  EXPECT_EQ(get("/api/v1/fleet")["sensors"], 1);
}

TEST_F(FleetTest, TheSameMachineIsTheSameSensorAndATakenNameGetsANumber) {
  Machine first = joined("s1");
  EXPECT_EQ(first.join(token("another"))["name"], "s1");
  Machine second = machine();
  EXPECT_EQ(second.join(token("s1"))["name"], "s1-2");
  EXPECT_EQ(get("/api/v1/fleet")["sensors"], 2);
  Machine third = machine();
  const std::string called = third.join(token(std::string(200, 'x')))["name"];
  EXPECT_EQ(called, std::string(59, 'x'));
  EXPECT_EQ(third.report().status, 200);
}

TEST_F(FleetTest, ASensorAnswersWhatItIsAskedAndNobodyElseDoes) {
  const Machine sensor = joined("s1"), other = joined("s2");
  const Json question = {{"what", "log"}, {"instance", "beacon_0"}, {"bytes", 100}};
  call("POST", "/api/v1/fleet/sensors/s1/asks", question, 409);  // it is away
  const auto stream = sensor.listen();
  wait_until([&] { return control_->fleet().lines().is_there(sensor.key); });
  const std::string id = call("POST", "/api/v1/fleet/sensors/s1/asks", question, 202)["id"];
  const auto asked = stream->next();
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->name, "ask");
  EXPECT_EQ(Json::parse(asked->data),
            (Json{{"id", id}, {"what", "log"}, {"instance", "beacon_0"}, {"bytes", 100}}));
  EXPECT_EQ(get("/api/v1/fleet/asks/" + id)["state"], "waiting");
  const std::string target = "/api/v1/fleet/self/answers/" + id;
  EXPECT_EQ(other.send("PUT", target, R"({"ok":true})").status, 404);
  EXPECT_EQ(sensor.send("PUT", target, R"({"ok":true,"text":"line\n"})").status, 200);
  const Json answer = get("/api/v1/fleet/asks/" + id);
  EXPECT_EQ(answer["state"], "answered");
  EXPECT_EQ(answer["answer"]["text"], "line\n");

  const std::string late =
      call("POST", "/api/v1/fleet/instances/beacon_0@s1/update", {}, 202)["id"];
  later_ = 30;
  EXPECT_EQ(get("/api/v1/fleet/asks/" + late)["state"], "expired");
  call("GET", "/api/v1/fleet/asks/none", {}, 404);
  call("POST", "/api/v1/fleet/sensors/s1/asks", {{"what", "shell"}, {"instance", "b_0"}}, 400);
}

TEST_F(FleetTest, ADocumentAndAReportCanBeCarried) {
  Machine sensor = joined("s1");
  const Machine other = joined("s2");
  call("GET", "/api/v1/fleet/sensors/s1/file", {}, 404);
  put("fleet", {{"instances", {{"beacon_0", kBeacon}}}});
  const HttpResponse file = send("GET", "/api/v1/fleet/sensors/s1/file");
  EXPECT_THAT(std::string(file.header("content-disposition")), HasSubstr("attachment"));
  const auto checked = check_signed_document(file.body, sensor.fleet_key, sensor.key, 0);
  ASSERT_EQ(checked.refusal, DocumentRefusal::none) << checked.words;
  EXPECT_EQ(checked.document->version, 1U);

  const std::string report = test::report_text(R"("desired_version":1)");
  const auto brought = [&](const Machine& by) {
    return send("POST", "/api/v1/fleet/sensors/s1/file",
                sign_report(by.pair().key_pem, report).value());
  };
  EXPECT_EQ(brought(other).status, 400);
  EXPECT_EQ(brought(sensor).status, 200);
  EXPECT_EQ(get("/api/v1/fleet/sensors/s1")["reported_version"], 1);
  EXPECT_THAT(brought(sensor).body, HasSubstr("older"));
  EXPECT_EQ(send("POST", "/api/v1/fleet/sensors/s1/file", "no").status, 400);
}

TEST_F(FleetTest, WhoLooksHearsOfIt) {
  Events people(client(), "/api/v1/events");
  wait_until([&] { return control_->events().listeners() > 0; });
  Machine sensor = joined("s1");
  sensor.report();
  for (;;) {
    const auto event = people.next();
    ASSERT_TRUE(event);
    if (event->name != "fleet") continue;
    const Json json = Json::parse(event->data);
    if (json["what"] == "sensor" && json["name"] == "s1" && json["state"] == "healthy") break;
  }
}

TEST_F(FleetTest, TwoThatSpeakWithOneKeyAreAConflict) {
  Machine sensor = joined("s1");
  for (const char* boot : {"b1", "b2", "b1", "b2"})
    EXPECT_EQ(sensor.report({}, boot).status, 200);
  EXPECT_EQ(get("/api/v1/fleet")["conflicts"], 1);
  const Json conflict = get("/api/v1/fleet/sensors/s1")["conflict"];
  EXPECT_THAT(conflict["boots"].get<std::vector<std::string>>(),
              testing::UnorderedElementsAre("b1", "b2"));
  EXPECT_EQ(get("/api/v1/fleet/sensors")["sensors"][0]["conflict"], true);
  const std::string metrics = send("GET", "/api/v1/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("beaconry_fleet_sensors{state=\"healthy\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("beaconry_fleet_reports_total{outcome=\"taken\"} 4"));
}

}  // namespace
}  // namespace beaconry
