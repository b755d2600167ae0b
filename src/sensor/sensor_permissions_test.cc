#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sensor/test_sensor.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;
using SensorPermissions = test::SensorOnFakes;

TEST_F(SensorPermissions, AnUnsignedImageIsRefusedUnlessItIsAllowedByName) {
  launch();
  add_image("1.0", "unsigned");
  const auto refused = install("beacon");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("not signed"), std::string::npos);
  Sensor::Change change;
  change.image = "beacon";
  change.allow_unsigned = true;
  ASSERT_TRUE(sensor_->change("beacon_0", change, "anna", true));
  EXPECT_TRUE(wait_for_state(InstanceState::running));
}

TEST_F(SensorPermissions, WhatIsNoLongerSignedDoesNotRunOn) {
  launch();
  const std::string image = add_image("1.0");
  ASSERT_TRUE(install("beacon"));
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  // A folder that is away is no key that was revoked.
  fs::rename(folder_ + "/keys", folder_ + "/elsewhere");
  std::ofstream(folder_ + "/sensor.d/x.yaml") << "nonsense";
  ASSERT_TRUE(wait_for([&] { return !sensor_->report().problems.empty(); }));
  EXPECT_EQ(report_of("beacon_0").state, InstanceState::running);
  fs::rename(folder_ + "/elsewhere", folder_ + "/keys");
  fs::rename(folder_ + "/keys/test.pub", folder_ + "/revoked.pub");
  ASSERT_TRUE(wait_for_state(InstanceState::installed));
  EXPECT_NE(report_of("beacon_0").cause.find("not signed"), std::string::npos);
  fs::rename(folder_ + "/revoked.pub", folder_ + "/keys/test.pub");
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  EXPECT_EQ(report_of("beacon_0").image, image);
  // Its file alone is missing: that stops nothing.
  halt();
  fs::remove(folder_ + "/state/images/" + image + ".instrument");
  fs::remove(folder_ + "/keys/test.pub");
  launch();
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  EXPECT_EQ(report_of("beacon_0").starts, 2U);
}

TEST_F(SensorPermissions, AnUpdateThatMayDoMoreWaitsForApproval) {
  launch();
  const std::string first = add_image("1.0");
  ASSERT_TRUE(install("beacon:1.0"));
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  const std::string second = add_image("2.0", "signed net_raw");
  Sensor::Change update;
  update.image = "beacon:2.0";
  ASSERT_TRUE(sensor_->change("beacon_0", update, "anna", false));
  ASSERT_TRUE(wait_for([&] { return report_of("beacon_0").update.state == UpdateState::pending; }));
  EXPECT_EQ(report_of("beacon_0").wants_approval, std::vector<std::string>{"capability net_raw"});
  EXPECT_EQ(report_of("beacon_0").state, InstanceState::running);
  EXPECT_EQ(report_of("beacon_0").image, first);
  Sensor::Change approve;
  approve.approve = true;
  ASSERT_TRUE(sensor_->change("beacon_0", approve, "anna", false));
  EXPECT_TRUE(wait_for_image(second));
}

// Its image's file is gone with the daemon's restart, so nobody can read any more what it may do.
TEST_F(SensorPermissions, AnUpdateIsJudgedByWhatWasPermittedAlsoWithoutTheImage) {
  launch();
  const std::string first = add_image("1.0", "signed net_raw");
  ASSERT_TRUE(install(first));
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  halt();
  fs::remove(folder_ + "/state/images/" + first + ".instrument");
  launch();
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  add_image("2.0", "signed net_raw net_bind_service");
  Sensor::Change update;
  update.image = "beacon:2.0";
  ASSERT_TRUE(sensor_->change("beacon_0", update, "anna", false));
  ASSERT_TRUE(wait_for([&] { return report_of("beacon_0").update.state == UpdateState::pending; }));
  EXPECT_EQ(report_of("beacon_0").wants_approval,
            std::vector<std::string>{"capability net_bind_service"});
  EXPECT_EQ(report_of("beacon_0").image, first);
}

TEST_F(SensorPermissions, WhereNobodyKnowsWhatWasPermittedAllOfItWantsAnApproval) {
  runtime_.held_volumes["beacon-0-persistent"] = 1 << 20;
  // Volumes that are nobody's would go: it is wished before they are seen.
  std::atomic<bool> away{true};
  runtime_.before = [&](const std::string& call, const std::string& name) -> Result<void> {
    if (away) return fail(ErrorKind::io, call, name, "connection refused");
    return {};
  };
  launch();
  const std::string image = add_image("1.0", "signed net_raw");
  ASSERT_TRUE(install(image));
  away = false;
  ASSERT_TRUE(wait_for([&] { return !report_of("beacon_0").wants_approval.empty(); }));
  const auto wants = report_of("beacon_0").wants_approval;
  EXPECT_EQ(wants.front(), "capability net_raw");
  EXPECT_GT(wants.size(), 1U);
  Sensor::Change approve;
  approve.approve = true;
  ASSERT_TRUE(sensor_->change("beacon_0", approve, "anna", false));
  EXPECT_TRUE(wait_for_image(image));
}

}  // namespace
}  // namespace beaconry
