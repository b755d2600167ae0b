// What a sensor makes of the server's wishes: the real one, on a runtime in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sensor/fleet/fleet_wish.h"
#include "sensor/test_sensor.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FleetSensorTest : public test::SensorOnFakes {
 protected:
  FleetSensorTest() { launch(); }

  void wish(const std::string& instances) {
    auto fleet = read_fleet_wish(R"({"instances": {)" + instances + "}}", false);
    ASSERT_TRUE(fleet) << fleet.error().message();
    fleet->server = "https://control:9090";
    const auto version = sensor_->set_fleet(*fleet);
    ASSERT_TRUE(version) << version.error().message();
  }
  static std::string beacon(const std::string& image, const std::string& rest = "",
                            const std::string& name = "beacon_0") {
    return '"' + name + R"(": {"image": ")" + image + '"' + rest + '}';
  }
  void write_file(const std::string& text) { std::ofstream(folder_ + "/sensor.d/a.yaml") << text; }
  bool runs(const std::string& image, const std::string& name = "beacon_0") {
    return wait_for([&] {
      const InstanceReport now = report_of(name);
      return now.state == InstanceState::running && now.image == image;
    });
  }
};

TEST_F(FleetSensorTest, WhatTheServerDefinesRunsAndIsChangedThereAlone) {
  const std::string image = add_image("1.0");
  wish(beacon(image, R"(, "config": {"every": 5})"));
  ASSERT_TRUE(runs(image));
  Sensor::Change stop;
  stop.running = false;
  const auto stopped = sensor_->change("beacon_0", stop, "anna", false);
  ASSERT_FALSE(stopped);
  EXPECT_THAT(stopped.error().message(), HasSubstr("https://control:9090"));
  Sensor::Change approve;
  approve.approve = true;
  EXPECT_FALSE(sensor_->change("beacon_0", approve, "anna", false));
  const auto removed = sensor_->remove("beacon_0", "anna");
  ASSERT_FALSE(removed);
  EXPECT_THAT(removed.error().message(), HasSubstr("https://control:9090"));
  Sensor::Change restart;
  restart.restart = true;
  EXPECT_TRUE(sensor_->change("beacon_0", restart, "anna", false));
  EXPECT_TRUE(wait_for([&] { return report_of().starts == 2; }));
  EXPECT_TRUE(sensor_->update_now("beacon_0"));
}

TEST_F(FleetSensorTest, WhatWasObeyedRunsOnAfterARestartWithoutTheServer) {
  const std::string image = add_image("1.0");
  wish(beacon(image));
  ASSERT_TRUE(runs(image));
  halt();
  launch();
  EXPECT_TRUE(runs(image));
  Sensor::Change stop;
  stop.running = false;
  EXPECT_FALSE(sensor_->change("beacon_0", stop, "anna", false));
  EXPECT_EQ(report_of().starts, 1U);
}

TEST_F(FleetSensorTest, WhatTheServerNamesNoMoreGoesAndWhatIsMadeHereStays) {
  const std::string image = add_image("1.0");
  Sensor::Change make;
  make.image = image;
  ASSERT_TRUE(sensor_->change("beacon_7", make, "anna", true));
  wish(beacon(image) + ',' + beacon(image, R"(, "running": false)", "beacon_7"));
  ASSERT_TRUE(runs(image));
  EXPECT_TRUE(runs(image, "beacon_7"));
  EXPECT_THAT(sensor_->report().problems, testing::Contains(HasSubstr("beacon_7")));
  wish("");
  EXPECT_TRUE(wait_for([&] {
    bool gone = false;
    runtime_.with([&](test::FakeRuntime& all) { gone = all.boxes.count("beacon-0") == 0; });
    return gone;
  }));
  EXPECT_TRUE(runs(image, "beacon_7"));
  // Left to the server, it is the server's.
  wish(beacon(image, R"(, "running": false)", "beacon_7"));
  ASSERT_TRUE(sensor_->remove("beacon_7", "anna"));
  EXPECT_TRUE(wait_for([&] { return !report_of("beacon_7").wished_running; }));
  EXPECT_TRUE(sensor_->report().problems.empty());
}

TEST_F(FleetSensorTest, AFileOfTheSameNameHoldsAndGivesItBack) {
  const std::string image = add_image("1.0"), local = add_image("1.1");
  wish(beacon(image));
  ASSERT_TRUE(runs(image));
  write_file("instances: {beacon_0: {image: 'beacon:1.1'}}");
  ASSERT_TRUE(runs(local));
  EXPECT_THAT(sensor_->report().problems, testing::Contains(HasSubstr("a.yaml")));
  wish(beacon(image, R"(, "config": {"every": 9})"));
  EXPECT_EQ(report_of().wished_image, local);
  fs::remove(folder_ + "/sensor.d/a.yaml");
  EXPECT_TRUE(runs(image));
  EXPECT_TRUE(sensor_->report().problems.empty());
  EXPECT_EQ(report_of().starts, 3U);  // never without it in between
}

TEST_F(FleetSensorTest, AConfigurationThatDoesNotFitIsToldAndTheOneBeforeHolds) {
  const std::string image = add_image("1.0");
  wish(beacon(image, R"(, "config": {"every": 5})"));
  ASSERT_TRUE(runs(image));
  wish(beacon(image, R"(, "config": {"evry": 6})") + ',' + beacon(image, "", "beacon_1"));
  ASSERT_TRUE(runs(image, "beacon_1"));
  const InstanceReport now = report_of();
  EXPECT_EQ(now.config.state, ConfigState::failed);
  EXPECT_THAT(now.config.reason, HasSubstr("evry"));
  EXPECT_EQ(now.state, InstanceState::running);
  EXPECT_EQ(sensor_->config_versions("beacon_0")->size(), 1U);
  wish(beacon(image, R"(, "config": {"every": 6})"));
  EXPECT_NE(report_of().config.state, ConfigState::failed);
  EXPECT_EQ(sensor_->config_versions("beacon_0")->size(), 2U);
}

TEST_F(FleetSensorTest, AnInstanceThatCannotBeReadIsToldWhereARolloutLooks) {
  wish(beacon(std::string(64, 'a'), R"(, "newer": 1)"));
  const InstanceReport now = report_of();
  EXPECT_EQ(now.update.state, UpdateState::failed);
  EXPECT_THAT(now.update.reason, HasSubstr("newer"));
}

TEST_F(FleetSensorTest, HowAnImageComesIsToldAndItsRunFollows) {
  const std::string image = sha256_hex("1.0signed");
  wish(beacon(image));
  EXPECT_THAT(report_of().cause, HasSubstr("the server is asked"));
  sensor_->set_image_fetches(
      {{image, {UpdateState::downloading, "image is being fetched, 3 of 9 MB", {}}}});
  ASSERT_TRUE(wait_for([&] { return report_of().update.state == UpdateState::downloading; }));
  EXPECT_EQ(report_of().cause, "image is being fetched, 3 of 9 MB");
  sensor_->set_image_fetches({{image, {UpdateState::failed, "it cannot be fetched: FIX", {}}}});
  ASSERT_TRUE(wait_for([&] { return report_of().update.state == UpdateState::failed; }));
  EXPECT_EQ(report_of().update.reason, "it cannot be fetched: FIX");
  EXPECT_EQ(add_image("1.0"), image);
  EXPECT_TRUE(runs(image));
  EXPECT_EQ(report_of().update.state, UpdateState::none);
}

TEST_F(FleetSensorTest, UnsignedCodeDoesNotRunThoughTheServerAllowsIt) {
  const std::string good = add_image("1.0"), evil = add_image("2.6", "unsigned");
  wish(beacon(good));
  ASSERT_TRUE(runs(good));
  wish(beacon(evil, R"(, "allow_unsigned": true)") + ',' +
       beacon(evil, R"(, "allow_unsigned": true)", "beacon_1"));
  ASSERT_TRUE(wait_for([&] { return report_of("beacon_1").update.state == UpdateState::failed; }));
  EXPECT_TRUE(wait_for([&] { return report_of().update.state == UpdateState::failed; }));
  EXPECT_THAT(report_of().update.reason, HasSubstr("not signed"));
  EXPECT_TRUE(runs(good));
  runtime_.with([&](test::FakeRuntime& all) {
    EXPECT_EQ(all.boxes.count("beacon-1"), 0U);
    EXPECT_EQ(all.held_images.count(evil), 0U);
  });
  EXPECT_THAT(sensor_->report().problems, testing::Contains(HasSubstr("allow_unsigned")));
}

TEST_F(FleetSensorTest, ARollbackHereTouchesNothingOfTheServers) {
  const std::string image = add_image("1.0");
  wish(beacon(image));
  ASSERT_TRUE(runs(image));
  const std::uint64_t with_it = sensor_->desired().number;
  wish(beacon(image, "", "beacon_1"));
  ASSERT_TRUE(runs(image, "beacon_1"));
  ASSERT_TRUE(sensor_->roll_back_desired(with_it, "anna"));
  const std::string now = sensor_->desired().json;
  EXPECT_EQ(now.find("beacon_0"), std::string::npos);
  EXPECT_NE(now.find("beacon_1"), std::string::npos);
}

}  // namespace
}  // namespace beaconry
