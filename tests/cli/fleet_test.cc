// The fleet's commands as a person types them, against a server with sensors that joined it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "cli/program.h"
#include "control/test_fleet.h"
#include "fleet/test_image.h"
#include "image/digest.h"
#include "image/minisign.h"
#include "uplink/signed_report.h"

namespace beaconry {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kImage(64, 'a'), kOther(64, 'b');

class FleetCommands : public test::FleetServer {
 protected:
  cli::Ran run(std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.insert(arguments.end(), {"--host", "unix:" + folder_ + "/state/control.sock"});
    cli::Surroundings around;
    around.input = input;
    return cli::beaconry(std::move(arguments), around);
  }
  // What a command that must succeed prints.
  std::string out(std::vector<std::string> arguments, const std::string& input = {}) {
    const cli::Ran ran = run(std::move(arguments), input);
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_TRUE(cli::is_harmless(ran.out)) << ran.out;
    return ran.out;
  }
  // And what one that must fail says.
  std::string fault(std::vector<std::string> arguments, int status = 1,
                    const std::string& input = {}) {
    const cli::Ran ran = run(std::move(arguments), input);
    EXPECT_EQ(ran.status, status) << ran.out << ran.err;
    return ran.err;
  }
  std::string file(const std::string& name, const std::string& text) {
    const std::string path = folder_ + '/' + name;
    std::ofstream(path) << text;
    return path;
  }
  static std::string layer(const std::string& image, int every) {
    return "instances:\n  beacon_0:\n    image: " + image +
           "\n    config: {every: " + std::to_string(every) + "}\n";
  }
};

TEST_F(FleetCommands, AnEmptyFleetSaysHowASensorJoins) {
  EXPECT_THAT(out({"fleet", "status"}), HasSubstr("beaconry enroll sensor"));
  EXPECT_THAT(out({"fleet", "sensors"}), HasSubstr("No sensors"));
  EXPECT_THAT(out({"fleet", "groups"}), HasSubstr("fleet groups set"));
}

TEST_F(FleetCommands, StatusTellsACauseOnceForAllItsSensors) {
  const std::string sick =
      R"("instances":[{"name":"beacon_0","image":"aa","state":"RUNNING","health":)"
      R"({"name":"beacon_0","state":"failed","cause":"upstream proxy does not answer",)"
      R"("evidence":"10.0.0.1:3128 refused","fix":"start the proxy","parts":[]}}])";
  for (const char* name : {"oulu-1", "oulu-2", "turku-1"}) {
    test::Machine sensor = joined(name);
    ASSERT_EQ(sensor.report(std::string(name) == "turku-1" ? R"("instances":[])" : sick).status,
              200);
  }
  const std::string status = out({"fleet", "status"});
  EXPECT_THAT(status, StartsWith("  upstream proxy does not answer: 2 sensors\n"));
  EXPECT_THAT(status, HasSubstr("start the proxy"));
  EXPECT_THAT(status, HasSubstr("3: 2 unhealthy, 1 healthy"));
  EXPECT_THAT(out({"fleet", "sensors", "--state", "unhealthy"}), Not(HasSubstr("turku-1")));
  const std::string one = out({"fleet", "show", "oulu-1"});
  EXPECT_THAT(one, HasSubstr("oulu-1: unhealthy since"));
  EXPECT_THAT(one, HasSubstr("10.0.0.1:3128 refused"));
  EXPECT_THAT(out({"fleet", "show", "beacon_0@oulu-1"}), HasSubstr("RUNNING, failed"));
  EXPECT_THAT(fault({"fleet", "show", "beacon_9@oulu-1"}), HasSubstr("no such instrument"));
  EXPECT_EQ(Json::parse(out({"fleet", "status", "--json"}))["sensors"], 3);
}

TEST_F(FleetCommands, ADocumentIsTriedAppliedExplainedAndTakenBack) {
  test::Machine sensor = joined("oulu-1");
  EXPECT_THAT(out({"fleet", "label", "oulu-1", "site=oulu", "spare=1"}),
              HasSubstr("site=oulu,spare=1"));
  EXPECT_THAT(out({"fleet", "groups", "set", "ot", "site=oulu", "--priority", "5"}),
              HasSubstr("group ot is site=oulu"));
  EXPECT_THAT(out({"fleet", "label", "oulu-1", "spare-"}), HasSubstr("oulu-1: site=oulu; in ot\n"));

  const std::string yaml = file("ot.yaml", layer(kImage, 60));
  EXPECT_THAT(out({"fleet", "diff", yaml, "--to", "group:ot"}), HasSubstr("/instances/beacon_0"));
  EXPECT_EQ(run({"fleet", "diff", yaml, "--to", "group:ot", "--exit-code"}).status, 1);
  EXPECT_THAT(out({"fleet", "apply", yaml, "--to", "group:ot", "--dry-run"}),
              HasSubstr("It reaches 1 sensor"));
  EXPECT_THAT(out({"fleet", "history", "group:ot"}), HasSubstr("No versions"));
  EXPECT_THAT(out({"fleet", "apply", yaml, "--to", "group:ot"}),
              HasSubstr("group:ot is at version 1."));
  // An instrument that would go takes its data with it: somebody must mean it.
  const std::string none = file("none.yaml", "instances: {}\n");
  EXPECT_THAT(fault({"fleet", "apply", none, "--to", "group:ot"}, 2),
              HasSubstr("beacon_0@oulu-1; say --yes"));
  EXPECT_THAT(out({"fleet", "apply", "-", "--to", "sensor:oulu-1", "--merge"},
                  R"({"instances": {"beacon_0": {"config": {"every": 5}}}})"),
              HasSubstr("sensor:oulu-1 is at version 1."));
  const std::string origin = out({"fleet", "show", "oulu-1", "--origin"});
  EXPECT_THAT(origin, HasSubstr("/instances/beacon_0/config/every: 5    # sensor\n"));
  EXPECT_THAT(origin, HasSubstr("# group:ot\n"));

  // It runs another image than it shall: drift, in words.
  ASSERT_EQ(
      sensor
          .report(R"("desired_version":2,"instances":[{"name":"beacon_0","image":")" + kOther +
                  R"(","state":"RUNNING","health":{"name":"beacon_0","state":"healthy"}}])")
          .status,
      200);
  EXPECT_THAT(out({"fleet", "diff"}), HasSubstr("oulu-1 ("));
  EXPECT_EQ(run({"fleet", "diff", "--exit-code"}).status, 1);

  out({"fleet", "apply", file("ot2.yaml", layer(kImage, 90)), "--to", "group:ot"});
  EXPECT_THAT(out({"fleet", "history", "group:ot"}), HasSubstr("2 "));
  EXPECT_THAT(out({"fleet", "history", "group:ot", "--version", "1"}), HasSubstr("\"every\": 60"));
  const std::string back = out({"fleet", "rollback", "group:ot", "1"});
  EXPECT_THAT(back, HasSubstr("/instances/beacon_0/config/every: 90 -> 60"));
  EXPECT_THAT(back, HasSubstr("group:ot is at version 3"));
  EXPECT_THAT(out({"fleet", "groups"}), HasSubstr("beacon_0"));
}

TEST_F(FleetCommands, LabelsAndGroupsTakeInstrumentsAwayOnlyWhereThatIsMeant) {
  test::Machine sensor = joined("oulu-1");
  out({"fleet", "label", "oulu-1", "site=oulu", "role=lab"});
  out({"fleet", "groups", "set", "ot", "site=oulu"});
  out({"fleet", "apply", file("ot.yaml", layer(kImage, 60)), "--to", "group:ot"});
  EXPECT_THAT(fault({"fleet", "label", "oulu-1", "site-"}, 2),
              HasSubstr("with their data go: beacon_0@oulu-1; say --yes"));
  EXPECT_THAT(fault({"fleet", "groups", "set", "ot", "site=turku"}, 2),
              HasSubstr("beacon_0@oulu-1; say --yes"));
  EXPECT_THAT(fault({"fleet", "groups", "remove", "ot"}, 2),
              HasSubstr("beacon_0@oulu-1; say --yes"));
  EXPECT_THAT(out({"fleet", "label", "oulu-1", "site-", "--dry-run"}),
              HasSubstr("/instances/beacon_0"));
  EXPECT_THAT(out({"fleet", "groups", "set", "ot", "site=turku", "--dry-run"}),
              HasSubstr("It reaches 1 sensor"));
  EXPECT_THAT(out({"fleet", "groups", "remove", "ot", "--dry-run"}),
              HasSubstr("/instances/beacon_0"));
  EXPECT_THAT(out({"fleet", "groups"}), HasSubstr("site=oulu"));
  EXPECT_THAT(out({"fleet", "groups", "set", "ot", "role=lab"}), HasSubstr("is role=lab"));
  EXPECT_THAT(out({"fleet", "label", "oulu-1", "site-"}), HasSubstr("oulu-1: role=lab; in ot\n"));
  EXPECT_THAT(out({"fleet", "groups", "remove", "ot", "--yes"}), HasSubstr("is removed"));
}

TEST_F(FleetCommands, WhatIsWrongIsSaidInTheServersWords) {
  joined("oulu-1");
  EXPECT_THAT(
      fault({"fleet", "apply", file("bad.yaml", "instances:\n  beacon_0: {runing: true}\n")}),
      HasSubstr("did you mean"));
  EXPECT_THAT(fault({"fleet", "apply", file("by_name.yaml", layer("beacon:9", 60))}, 2),
              HasSubstr("the server has no image 'beacon:9'"));
  EXPECT_THAT(fault({"fleet", "apply", file("x.yaml", layer(kImage, 1)), "--to", "ot"}, 2),
              HasSubstr("group:NAME"));
  EXPECT_THAT(fault({"fleet", "show", "nobody"}), HasSubstr("nobody"));
  EXPECT_THAT(fault({"fleet", "label", "oulu-1", "x"}, 2), HasSubstr("KEY=VALUE"));
  EXPECT_THAT(fault({"fleet", "revoke", "oulu-1"}, 2), HasSubstr("say --yes"));
  EXPECT_THAT(out({"fleet", "rename", "oulu-1", "line-3"}), HasSubstr("is called line-3"));
  EXPECT_THAT(out({"fleet", "revoke", "line-3", "--yes"}), HasSubstr("is revoked"));
  EXPECT_THAT(out({"fleet", "sensors"}), Not(HasSubstr("line-3")));
}

TEST_F(FleetCommands, OtherHardwareTakesAPlaceByALineAndAReportIsCarriedByHand) {
  test::Machine old = joined("oulu-1");
  out({"fleet", "label", "oulu-1", "site=oulu"});
  const cli::Ran line = run({"fleet", "replace", "oulu-1"});
  EXPECT_EQ(line.status, 0) << line.err;
  EXPECT_THAT(line.out, HasSubstr("beaconry-sensor join https://"));
  EXPECT_TRUE(line.told("whose old key counts no more"));
  constexpr std::string_view kToken = "BEACONRY_JOIN_TOKEN=";
  const std::size_t from = line.out.find(kToken) + kToken.size();
  test::Machine other = machine();
  EXPECT_EQ(other.join(line.out.substr(from, line.out.find(' ', from) - from))["name"], "oulu-1");
  EXPECT_EQ(old.report().status, 401);

  const auto report =
      sign_report(other.pair().key_pem, test::report_text(R"("desired_version":0)"));
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_THAT(out({"fleet", "import", file("oulu-1.report", *report)}),
              HasSubstr("oulu-1: taken; it follows version 0"));
  EXPECT_THAT(out({"fleet", "sensors", "--labels", "site=oulu"}), HasSubstr("healthy"));
  EXPECT_EQ(run({"fleet", "import", file("bad", report->substr(0, report->size() - 3))}).status, 1);
}

TEST_F(FleetCommands, AnInstrumentIsStoppedAskedAndStartedFromAfar) {
  test::Machine sensor = joined("oulu-1");
  out({"fleet", "apply", file("one.yaml", layer(kImage, 60)), "--to", "sensor:oulu-1"});
  EXPECT_THAT(out({"fleet", "stop", "beacon_0@oulu-1"}), HasSubstr("stand still"));
  EXPECT_THAT(out({"fleet", "show", "oulu-1", "--origin"}),
              HasSubstr("/instances/beacon_0/running: false    # sensor"));
  EXPECT_THAT(out({"fleet", "start", "beacon_0@oulu-1"}), HasSubstr("wished to run"));
  EXPECT_THAT(fault({"fleet", "start", "beacon_9@oulu-1"}), HasSubstr("beacon_9"));
  EXPECT_THAT(fault({"fleet", "stop", "beacon_0"}, 2), HasSubstr("beacon_0@sensor001"));
  // Whoever is away cannot be asked.
  EXPECT_FALSE(fault({"fleet", "log", "beacon_0@oulu-1"}).empty());
  const auto stream = sensor.listen();
  ASSERT_TRUE(stream->next());  // its document: now it is there
  std::thread answering([&] {
    for (auto event = stream->next(); event; event = stream->next()) {
      if (event->name != "ask") continue;
      const Json ask = Json::parse(event->data);
      sensor.send("PUT", "/api/v1/fleet/self/answers/" + ask["id"].get<std::string>(),
                  Json{{"ok", true}, {"text", "first\nlast \x1b[2J\n"}}.dump());
      return;
    }
  });
  const std::string log = out({"fleet", "log", "beacon_0@oulu-1", "--bytes", "100"});
  answering.join();
  EXPECT_THAT(log, StartsWith("first\nlast "));
}

TEST_F(FleetCommands, AnImageIsBroughtNamedAndCarriedToASensorWithoutAWire) {
  // Longer than a piece; a part of it is there of an earlier try.
  const std::string image =
      test::image_bytes("name: beacon\nversion: \"1.0\"\ncapabilities: [net_raw]\n", 5'000'000);
  ASSERT_GT(image.size(), std::size_t{4} << 20);
  const std::string sha256 = sha256_of(image);
  const std::string path = file("beacon_1.0.instrument", image);
  const MinisignKeyPair keys = make_key_pair("author");
  const std::string signature = sign_file(path, keys.secret_text, "file:beacon").value();
  file("beacon_1.0.instrument.minisig", signature);
  call("PUT", "/api/v1/fleet/images/" + sha256 + "?offset=0", Json(image.substr(0, 1000)));

  const std::string added = out({"fleet", "images", "add", path});
  EXPECT_THAT(added, StartsWith("beacon 1.0\n"));
  EXPECT_THAT(added, HasSubstr(sha256));
  EXPECT_THAT(added, HasSubstr(parse_public_key(keys.public_text, "k")->id));
  EXPECT_EQ(out({"fleet", "images", "add", path}), added);  // once more changes nothing
  EXPECT_THAT(out({"fleet", "images", "show", "beacon:1.0"}), HasSubstr("net_raw"));
  EXPECT_THAT(out({"fleet", "images"}), HasSubstr(sha256.substr(0, 12)));
  EXPECT_THAT(fault({"fleet", "images", "show", "detector"}), HasSubstr("no such image"));

  joined("oulu-1");
  out({"fleet", "apply", file("by_name.yaml", layer("beacon", 60)), "--to", "sensor:oulu-1"});
  EXPECT_THAT(out({"fleet", "show", "oulu-1", "--origin"}), HasSubstr(sha256));
  EXPECT_THAT(fault({"fleet", "images", "remove", "beacon"}), HasSubstr("in use"));

  const std::string stick = folder_ + "/usb";
  out({"fleet", "export", "oulu-1", "-o", stick, "--images"});
  const std::string again = out({"fleet", "export", "oulu-1", "-o", stick, "--images"});
  EXPECT_THAT(again, StartsWith(stick + "/oulu-1.desired: version "));
  const std::string saved = "beacon_1.0_" + sha256.substr(0, 12) + ".instrument";
  EXPECT_THAT(again, HasSubstr(stick + '/' + saved + '\n'));
  const auto read = [&](const std::string& name) {
    return read_small_file(stick + '/' + name, 16 << 20).value_or("");
  };
  EXPECT_TRUE(read(saved) == image);
  EXPECT_EQ(read(saved + ".minisig"), signature);
  EXPECT_THAT(read("oulu-1.desired"), StartsWith("beaconry-signed-document 1 "));
  EXPECT_THAT(read("oulu-1.desired"), HasSubstr(sha256));

  // Another image of the same name and version lies beside it.
  const std::string other = test::image_bytes("name: beacon\nversion: \"1.0\"\n");
  out({"fleet", "images", "add", file("other.instrument", other)});
  out({"fleet", "apply", file("other.yaml", layer(sha256_of(other), 60)), "--to", "sensor:oulu-1"});
  out({"fleet", "export", "oulu-1", "-o", stick, "--images"});
  EXPECT_TRUE(read("beacon_1.0_" + sha256_of(other).substr(0, 12) + ".instrument") == other);
  EXPECT_TRUE(read(saved) == image);
}

TEST_F(FleetCommands, ARolloutIsStartedHeldAndFollowedToItsEnd) {
  test::Machine sensor = joined("oulu-1");
  ASSERT_EQ(sensor.report().status, 200);
  out({"fleet", "images", "add",
       file("beacon_1.0.instrument", test::image_bytes("name: beacon\nversion: \"1.0\"\n"))});
  const std::string yaml = file("one.yaml", layer("beacon", 60));
  EXPECT_THAT(out({"fleet", "rollout"}), HasSubstr("No rollouts"));
  EXPECT_THAT(out({"fleet", "rollout", "start", yaml, "--dry-run"}),
              HasSubstr("It would go to fleet"));
  EXPECT_THAT(fault({"fleet", "apply", yaml, "--min-healthy-time", "soon"}, 2),
              HasSubstr("--min-healthy-time soon"));
  const std::string begun =
      out({"fleet", "apply", yaml, "--canary", "1", "--healthy-deadline", "2h"});
  EXPECT_THAT(begun, StartsWith("Rollout 1 to fleet: "));
  EXPECT_THAT(begun, HasSubstr("within 2h 0m"));
  EXPECT_THAT(begun, HasSubstr("fleet rollout show 1 --follow"));
  EXPECT_THAT(fault({"fleet", "apply", yaml}), HasSubstr("rollout"));
  EXPECT_THAT(out({"fleet", "rollout", "pause", "1"}), HasSubstr("paused"));
  EXPECT_THAT(out({"fleet", "rollout", "show", "1"}), HasSubstr("fleet rollout resume 1"));
  EXPECT_THAT(out({"fleet", "rollout", "resume", "1"}), HasSubstr("running"));
  EXPECT_THAT(fault({"fleet", "rollout", "approve", "1"}), HasSubstr("approv"));

  // Whoever follows it hears of the end, however it comes.
  cli::Ran followed;
  std::thread following([&] { followed = run({"fleet", "rollout", "show", "1", "--follow"}); });
  out({"fleet", "rollout", "abort", "1"});
  std::string phase;
  for (int i = 0; i < 100 && phase != "aborted"; ++i) {
    const auto known = control_->fleet().find(sensor.key);
    ASSERT_TRUE(known);
    sensor.report(R"("desired_version":)" + std::to_string(known->wish.version));
    later_ += 10;
    control_->fleet().tick(now());
    phase = get("/api/v1/fleet/rollouts/1")["phase"];
  }
  EXPECT_EQ(phase, "aborted");
  following.join();
  EXPECT_EQ(followed.status, 1) << followed.err;  // what was wanted is not so
  EXPECT_THAT(followed.out, HasSubstr("Rollout 1 to fleet: aborted"));
  EXPECT_THAT(out({"fleet", "rollout", "list"}), HasSubstr("aborted"));
}

TEST_F(FleetCommands, PeopleAreMadeChangedAndRemovedWithoutAPasswordInACommandLine) {
  EXPECT_THAT(fault({"users", "add", "anna", "--role", "admin"}, 2, ""), HasSubstr("first line"));
  EXPECT_THAT(fault({"users", "add", "anna", "--role", "admin"}, 1, "short\n"),
              HasSubstr("10 characters"));
  EXPECT_THAT(out({"users", "add", "anna", "--role", "admin"}, "correct horse battery\n"),
              HasSubstr("anna: admin"));
  const std::string file_name = file("password", "another horse battery\r\nno part of it\n");
  const std::string made = out(
      {"users", "add", "ben", "--role", "viewer", "--password-file", file_name, "--totp", "on"});
  EXPECT_THAT(made, HasSubstr("otpauth://totp/"));
  EXPECT_THAT(out({"users", "list"}), Not(HasSubstr("otpauth")));
  EXPECT_THAT(out({"users", "change", "ben", "--role", "analyst", "--disable"}),
              HasSubstr("ben: analyst, disabled"));
  EXPECT_THAT(fault({"users", "change", "ben"}, 2), HasSubstr("--role"));
  EXPECT_THAT(fault({"users", "remove", "ben"}, 2), HasSubstr("say --yes"));
  EXPECT_THAT(out({"users", "remove", "ben", "--yes"}), HasSubstr("ben is removed"));
  EXPECT_THAT(fault({"users", "remove", "anna", "--yes"}), HasSubstr("admin"));
  // Root on the server comes by its socket, whoever else there is.
  const std::string log = out({"audit"});
  EXPECT_THAT(log, HasSubstr("/role: \"viewer\" -> \"analyst\""));
  EXPECT_THAT(log, Not(HasSubstr("horse")));
  EXPECT_EQ(out({"fleet", "audit", "--csv"}).substr(0, 9), "time,who,");
  EXPECT_EQ(Json::parse(out({"audit", "--limit", "2", "--json"}))["entries"].size(), 2U);
}

}  // namespace
}  // namespace beaconry
