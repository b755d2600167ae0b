// Rollouts: with sensors that join, take their documents and report.
#include <gmock/gmock.h>

#include <map>

#include "control/test_fleet.h"
#include "fleet/image_store.h"
#include "fleet/test_image.h"
#include "image/digest.h"

namespace beaconry {
namespace {

using test::Machine;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FleetRolloutsApi : public test::FleetServer {
 protected:
  // One that takes at once what it is wished to have, unless the image is bad.
  struct Sensor {
    Machine machine;
    std::string name, runs;  // the image
    bool away = false;
  };

  std::string image(const std::string& version, const std::string& more = {}) {
    const std::string bytes =
        test::image_bytes("name: beacon\nversion: \"" + version + "\"\n" + more);
    const std::string sha256 = sha256_of(bytes);
    const std::string path = "/api/v1/fleet/images/" + sha256;
    call("PUT", path + "?offset=0", Json(bytes));
    call("POST", path + "/complete");
    return sha256;
  }
  Sensor& add(const std::string& name) {
    sensors_.push_back({joined(name), name, old_, false});
    return sensors_.back();
  }
  static Json with(const std::string& image) {
    return {{"instances", {{"beacon_0", {{"image", image}}}}}};
  }
  Json wished(const std::string& name) {
    return get("/api/v1/fleet/sensors/" + name)["desired"]["instances"]["beacon_0"];
  }
  // Every sensor takes what it is wished to have and says so; then the server looks at it.
  void pass(int seconds) {
    for (Sensor& sensor : sensors_) {
      if (sensor.away) continue;
      const auto known = control_->fleet().find(sensor.machine.key);
      ASSERT_TRUE(known);
      const Json wish =
          Json::parse(known->wish.document(), nullptr, false)["instances"]["beacon_0"];
      const std::string image = wish["image"];
      std::string update = R"({"state":"NONE"})";
      std::string wants = "[]";
      const auto widened = widened_.find(image);
      if (image == bad_) {
        update = R"({"state":"FAILED","reason":"ended with status 1"})";
      } else if (widened != widened_.end() && !wish.contains("approved")) {
        wants = Json(widened->second).dump();
      } else {
        sensor.runs = image;
      }
      const std::string members =
          R"("desired_version":)" + std::to_string(known->wish.version) +
          R"(,"health":{"name":"s","state":"healthy"},"instances":[{"name":"beacon_0","image":")" +
          sensor.runs + R"(","wished_image":")" + image +
          R"(","wished_running":true,"state":"RUNNING","wants_approval":)" + wants +
          R"(,"update":)" + update + R"(,"config":{"state":"APPLIED"}}])";
      const HttpResponse answer = sensor.machine.report(members);
      ASSERT_EQ(answer.status, 200) << answer.body;
    }
    later_ += seconds;
    control_->fleet().tick(now());
  }
  void begin_with(int sensors) {
    old_ = image("1.0");
    new_ = image("2.0");
    for (int i = 0; i < sensors; ++i)
      add("s" + std::to_string(i));
    put("fleet", with(old_));
    pass(1);
  }
  Json roll_out(const std::string& image, Json more = Json::object()) {
    more["target"] = "fleet";
    more["document"] = with(image);
    if (!more.contains("min_healthy_time")) more["min_healthy_time"] = 20;
    more["healthy_deadline"] = 600;
    return call("POST", "/api/v1/fleet/rollouts", more, 201);
  }
  Json rollout(const Json& begun) {
    return get("/api/v1/fleet/rollouts/" + std::to_string(begun["id"].get<std::uint64_t>()));
  }
  HttpResponse order(const Json& begun, const std::string& word) {
    return send("POST", "/api/v1/fleet/rollouts/" +
                            std::to_string(begun["id"].get<std::uint64_t>()) + '/' + word);
  }
  // Until the rollout is so; the phase that it has after long.
  std::string phase_after(const Json& begun, const std::string& phase, int rounds = 60) {
    std::string now;
    for (int i = 0; i < rounds && now != phase; ++i) {
      pass(10);
      now = rollout(begun)["phase"];
    }
    return now;
  }

  std::deque<Sensor> sensors_;
  std::string old_, new_, bad_;
  std::map<std::string, std::vector<std::string>> widened_;
};

TEST_F(FleetRolloutsApi, BringAnImageToOneSensorAfterTheOther) {
  begin_with(3);
  const Json trial = call("POST", "/api/v1/fleet/rollouts",
                          {{"target", "fleet"}, {"document", with(new_)}, {"dry_run", true}});
  EXPECT_EQ(trial["total"], 3);
  EXPECT_THAT(get("/api/v1/fleet/rollouts")["rollouts"], IsEmpty());
  const Json begun = roll_out(new_, {{"max_parallel", 2}});
  EXPECT_EQ(begun["phase"], "running");
  EXPECT_EQ(begun["who"], "local");
  EXPECT_THAT(begun["changes"], ElementsAre(HasSubstr("/instances/beacon_0/image")));
  EXPECT_EQ(begun["plan"]["min_healthy_time"], 20);
  // Nobody else changes the layer meanwhile.
  call("PUT", "/api/v1/fleet/desired/fleet", {{"document", Json::object()}}, 409);
  call("POST", "/api/v1/fleet/rollouts", {{"target", "fleet"}, {"document", with("x")}}, 409);
  EXPECT_EQ(get("/api/v1/fleet/desired/fleet")["rollout"], begun["id"]);
  pass(1);
  std::map<std::string, int> images;
  for (const Sensor& sensor : sensors_)
    ++images[wished(sensor.name)["image"]];
  EXPECT_EQ(images[new_], 1);  // the canary
  EXPECT_EQ(phase_after(begun, "done"), "done");
  for (const Sensor& sensor : sensors_)
    EXPECT_EQ(sensor.runs, new_);
  const Json layer = get("/api/v1/fleet/desired/fleet");
  EXPECT_EQ(layer["how"], "rollout");
  EXPECT_EQ(layer["document"], with(new_));
  EXPECT_EQ(rollout(begun)["counts"]["done"], 3);
}

TEST_F(FleetRolloutsApi, TakeABadImageBackAsSoonAsASensorSaysSo) {
  begin_with(3);
  bad_ = new_;
  const Json begun = roll_out(new_);
  pass(1);  // it has its turn
  pass(1);  // it says that it failed
  EXPECT_EQ(phase_after(begun, "reverted", 3), "reverted");
  const Json ended = rollout(begun);
  EXPECT_THAT(ended["words"], HasSubstr("ended with status 1"));
  EXPECT_THAT(ended["words"], HasSubstr("the first of them s"));
  EXPECT_EQ(ended["counts"]["returned"], 1);
  EXPECT_EQ(ended["counts"]["waiting"], 2);
  for (const Sensor& sensor : sensors_) {
    EXPECT_EQ(wished(sensor.name)["image"], old_);
    EXPECT_EQ(sensor.runs, old_);
  }
  EXPECT_EQ(get("/api/v1/fleet/desired/fleet")["document"], with(old_));
}

TEST_F(FleetRolloutsApi, GoOnAfterARestartOfTheServer) {
  begin_with(3);
  sensors_[2].away = true;
  const Json begun = roll_out(new_);
  std::string phase;
  for (int i = 0; i < 60 && phase != "done"; ++i) {
    pass(10);
    start();
    phase = rollout(begun)["phase"];
    std::size_t newest = 0;
    for (const Sensor& sensor : sensors_)
      newest += wished(sensor.name)["image"] == new_ ? 1U : 0U;
    const Json counts = rollout(begun)["counts"];
    EXPECT_EQ(newest, counts["changing"].get<std::size_t>() + counts["done"].get<std::size_t>());
    if (i == 40) sensors_[2].away = false;  // it is offline since long
  }
  EXPECT_EQ(phase, "done");
}

TEST_F(FleetRolloutsApi, BringItToALatecomerWhenItIsBack) {
  begin_with(2);
  sensors_[0].away = true;
  later_ += 600;  // offline
  const Json begun = roll_out(new_);
  EXPECT_EQ(phase_after(begun, "done"), "done");
  EXPECT_EQ(wished("s0")["image"], old_);
  EXPECT_EQ(wished("s1")["image"], new_);
  EXPECT_THAT(rollout(begun)["words"], HasSubstr("1 that are away"));
  // Who joins now is given what holds.
  const Machine late = joined("late");
  EXPECT_EQ(wished("late")["image"], new_);
  start();
  EXPECT_EQ(wished("s0")["image"], old_);
  sensors_[0].away = false;
  for (int i = 0; i < 10; ++i)
    pass(10);
  EXPECT_EQ(wished("s0")["image"], new_);
  EXPECT_EQ(rollout(begun)["counts"]["done"], 2);
}

TEST_F(FleetRolloutsApi, WaitForAPersonWhereAnImageMayDoMore) {
  begin_with(2);
  const std::string wider = image("3.0", "capabilities: [net_admin]\nuplink: true\n");
  const Json begun = roll_out(wider);
  EXPECT_EQ(begun["phase"], "approval");
  EXPECT_THAT(begun["widened"],
              ElementsAre("beacon_0: capability net_admin", "beacon_0: the uplink socket"));
  widened_[wider] = {"capability net_admin", "the uplink socket"};
  pass(10);
  EXPECT_EQ(wished("s0")["image"], old_);
  const HttpResponse approved = order(begun, "approve");
  EXPECT_EQ(approved.status, 200) << approved.body;
  EXPECT_EQ(order(begun, "approve").status, 409);
  EXPECT_EQ(phase_after(begun, "done"), "done");
  const std::string digest = get("/api/v1/fleet/images/" + wider)["permission_digest"];
  EXPECT_EQ(get("/api/v1/fleet/desired/fleet")["document"]["instances"]["beacon_0"]["approved"],
            digest);
  EXPECT_EQ(wished("s1")["approved"], digest);
  // The same permissions need nobody's word again.
  Json next = with(image("3.1", "capabilities: [net_admin]\nuplink: true\n"));
  const Json again = call("POST", "/api/v1/fleet/rollouts",
                          {{"target", "fleet"}, {"document", next}, {"dry_run", true}});
  EXPECT_THAT(again["widened"], IsEmpty());
}

TEST_F(FleetRolloutsApi, ArePausedResumedAndAborted) {
  begin_with(3);
  const Json begun = roll_out(new_);
  pass(1);
  EXPECT_EQ(order(begun, "resume").status, 409);
  EXPECT_EQ(order(begun, "pause").status, 200);
  for (int i = 0; i < 8; ++i)
    pass(10);
  EXPECT_EQ(rollout(begun)["phase"], "paused");
  EXPECT_EQ(rollout(begun)["words"], "paused by local");
  EXPECT_EQ(rollout(begun)["counts"]["done"], 1);
  EXPECT_EQ(order(begun, "resume").status, 200);
  pass(1);
  EXPECT_EQ(order(begun, "abort").status, 200);
  EXPECT_EQ(phase_after(begun, "aborted", 6), "aborted");
  for (const Sensor& sensor : sensors_)
    EXPECT_EQ(wished(sensor.name)["image"], old_);
  EXPECT_EQ(order({{"id", 77}}, "pause").status, 404);
  EXPECT_EQ(send("GET", "/api/v1/fleet/rollouts/x").status, 404);
}

TEST_F(FleetRolloutsApi, RefuseAPlanThatIsNone) {
  begin_with(1);
  const std::string path = "/api/v1/fleet/rollouts";
  const Json good = {{"target", "fleet"}, {"document", with(new_)}, {"dry_run", true}};
  call("POST", path, good);
  for (const Json& wrong :
       {Json{{"max_parallel", 0}}, Json{{"canary", -1}}, Json{{"healthy_deadline", 1}},
        Json{{"min_healthy_time", "1m"}}, Json{{"speed", 1}}, Json{{"target", 5}},
        Json{{"auto_revert", 1}}, Json{{"patch", Json::object()}},
        Json{{"document", {{"instances", {{"beacon_0", {{"runing", true}}}}}}}}}) {
    Json body = good;
    body.update(wrong);
    EXPECT_EQ(send("POST", path, body).status, 400) << wrong;
  }
  EXPECT_EQ(send("POST", path, {{"target", "fleet"}}).status, 400);
  EXPECT_EQ(send("POST", path, {{"target", "group:no"}, {"document", with(new_)}}).status, 404);
}

}  // namespace
}  // namespace beaconry
