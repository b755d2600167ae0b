#include "sensor/sensor.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "sensor/test_sensor.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;
using SensorTest = test::SensorOnFakes;

TEST_F(SensorTest, InstallsStopsStartsAndRemoves) {
  launch();
  const std::string image = add_image("1.0");
  ASSERT_TRUE(install("beacon"));
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  EXPECT_EQ(report_of("beacon_0").image, image);
  EXPECT_EQ(report_of("beacon_0").version, "1.0");
  Sensor::Change stop;
  stop.running = false;
  ASSERT_TRUE(sensor_->change("beacon_0", stop, "anna", false));
  ASSERT_TRUE(wait_for_state(InstanceState::installed));
  const auto executed = sensor_->execute("beacon_0", {"true"}, 1);
  ASSERT_FALSE(executed);
  EXPECT_EQ(executed.error().subject, "beacon_0");  // not the container's name
  EXPECT_NE(executed.error().cause.find("'beaconry instrument start beacon_0'"), std::string::npos);
  Sensor::Change start;
  start.running = true;
  ASSERT_TRUE(sensor_->change("beacon_0", start, "anna", false));
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  EXPECT_TRUE(sensor_->execute("beacon_0", {"true"}, 1));
  ASSERT_TRUE(sensor_->remove("beacon_0", "anna"));
  ASSERT_TRUE(wait_for([&] { return sensor_->report().instances.empty(); }));
  runtime_.with([](test::FakeRuntime& all) {
    EXPECT_TRUE(all.boxes.empty());
    EXPECT_TRUE(all.held_volumes.empty());
  });
  EXPECT_FALSE(fs::exists(folder_ + "/state/instances/beacon_0"));
}

TEST_F(SensorTest, ARestartedDaemonTakesOverWhatRuns) {
  launch();
  add_image("1.0");
  ASSERT_TRUE(install("beacon:1.0"));
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  halt();
  launch();
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  ASSERT_TRUE(wait_for([&] { return report_of("beacon_0").starts == 1; }));
  EXPECT_EQ(running_at_start_, std::vector<std::string>{"beacon_0"});
  runtime_.with([](test::FakeRuntime& all) { EXPECT_EQ(all.starts["beacon-0"], 1); });
}

TEST_F(SensorTest, AnEndIsNoticedWithoutWaitingForTheNextLook) {
  const pid_t process = ::fork();
  if (process == 0) {
    for (;;)
      ::pause();
  }
  runtime_.last_process = process - 1;
  launch();
  add_image("1.0");
  ASSERT_TRUE(install("beacon"));
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  // No look is due any more, for time stands still.
  frozen_ = std::chrono::floor<Duration>(std::chrono::system_clock::now()) + ahead_.load() +
            std::chrono::seconds{6};
  int looks = 0;
  runtime_.with([&](test::FakeRuntime& all) {
    all.before = [&looks](const std::string& call, const std::string&) -> Result<void> {
      looks += call == "list" ? 1 : 0;
      return {};
    };
  });
  ASSERT_TRUE(wait_for([&] {
    bool seen = false;
    runtime_.with([&](test::FakeRuntime&) { seen = looks > 0; });
    return seen;
  }));
  EXPECT_EQ(report_of("beacon_0").state, InstanceState::running);
  runtime_.with([](test::FakeRuntime& all) { all.halt("beacon-0"); });
  ::kill(process, SIGKILL);
  EXPECT_TRUE(wait_for_state(InstanceState::errored));
  ::waitpid(process, nullptr, 0);
  halt();
}

TEST_F(SensorTest, AStepThatThrowsIsTriedAgain) {
  std::atomic<int> throws{0};
  runtime_.before = [&](const std::string& call, const std::string&) -> Result<void> {
    if ((call == "list" || call == "make_volume") && throws > 0) {
      --throws;
      throw std::runtime_error("no memory for it");
    }
    return {};
  };
  launch();
  add_image("1.0");
  throws = 2;
  ASSERT_TRUE(install("beacon"));
  ahead_ = std::chrono::seconds{9};
  EXPECT_TRUE(wait_for_state(InstanceState::running));
  EXPECT_EQ(throws, 0);
  halt();
}

TEST_F(SensorTest, ARuntimeThatIsAwayIsReportedAndFollowedLater) {
  std::atomic<bool> away{true};
  runtime_.before = [&](const std::string&, const std::string&) -> Result<void> {
    if (away) return fail(ErrorKind::io, "reach", "LXD", "connection refused");
    return {};
  };
  launch();
  add_image("1.0");
  ASSERT_TRUE(install("beacon"));
  ASSERT_TRUE(wait_for([&] { return !sensor_->report().runtime_fault.empty(); }));
  EXPECT_EQ(report_of("beacon_0").state, InstanceState::created);
  EXPECT_NE(report_of("beacon_0").cause.find("away"), std::string::npos);
  EXPECT_EQ(sensor_->report().health.state, HealthState::failed);
  EXPECT_EQ(sensor_->report().health.cause, "the runtime is away");
  away = false;
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  EXPECT_EQ(sensor_->report().runtime_fault, "");
  EXPECT_NE(sensor_->report().health.cause, "the runtime is away");
  EXPECT_EQ(report_of("beacon_0").failures, 0U);
}

TEST_F(SensorTest, WhatRunsHasTheConfigurationOfItsOwnImageWhileAnotherWaits) {
  launch();
  const std::string first = add_image("1.0");
  Sensor::Change change;
  change.image = first;
  change.config_json = R"({"every":5})";
  ASSERT_TRUE(sensor_->change("beacon_0", change, "anna", true));
  ASSERT_TRUE(wait_for_image(first));
  change.image = add_image("3.0", "signed net_raw");
  change.config_json = R"({"period":7})";
  change.interfaces =
      std::vector<InterfaceWish>{{"probe", InterfaceWish::Kind::bridge, "br0", "none", "", {}}};
  change.restart = true;
  ASSERT_TRUE(sensor_->change("beacon_0", change, "anna", false));
  ASSERT_TRUE(wait_for([&] {
    const InstanceReport now = report_of("beacon_0");  // on the sensor's thread, as what follows
    return now.update.state == UpdateState::pending && now.starts == 2 &&
           services_->running.count("beacon_0") != 0;
  }));
  EXPECT_EQ(services_->running.at("beacon_0").config_json, R"({"every":5})");
  EXPECT_EQ(services_->running.at("beacon_0").config_version, 1U);
  runtime_.with([&](test::FakeRuntime& all) {
    EXPECT_EQ(all.boxes.at("beacon-0").fingerprint, first);
    EXPECT_TRUE(all.boxes.at("beacon-0").nics.empty());
  });
  Sensor::Change approve;
  approve.approve = true;
  ASSERT_TRUE(sensor_->change("beacon_0", approve, "anna", false));
  ASSERT_TRUE(wait_for_image(*change.image));
  ASSERT_TRUE(wait_for([&] {
    return report_of("beacon_0").state == InstanceState::running &&
           services_->running.count("beacon_0") != 0;
  }));
  EXPECT_EQ(services_->running.at("beacon_0").config_json, R"({"period":7})");
  runtime_.with(
      [&](test::FakeRuntime& all) { EXPECT_EQ(all.boxes.at("beacon-0").nics.size(), 1U); });
}

TEST_F(SensorTest, RoomIsPromisedAtTheInstallNotWhenItIsMeasured) {
  // For one of 1 MiB, its transient volume and two copies, and a bit.
  runtime_.pool = {(std::uint64_t{4} << 20) + Manifest::Limits{}.transient, 0};
  launch();
  add_image("1.0");
  ASSERT_TRUE(wait_for([&] { return sensor_->report().pool.total != 0; }));
  ASSERT_TRUE(install("beacon"));
  Sensor::Change another;
  another.image = "beacon";
  const auto refused = sensor_->change("beacon_1", another, "anna", true);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("promised"), std::string::npos);
  EXPECT_TRUE(wait_for_state(InstanceState::running));
}

TEST_F(SensorTest, AnUpdateThatIsNotHealthyIsRolledBack) {
  sick_ = {"2.0"};
  launch();
  const std::string first = add_image("1.0"), second = add_image("2.0");
  ASSERT_TRUE(install(first));
  ASSERT_TRUE(wait_for_image(first));
  Sensor::Change update;
  update.image = second;
  ASSERT_TRUE(sensor_->change("beacon_0", update, "anna", false));
  ASSERT_TRUE(wait_for([&] {
    const InstanceReport report = report_of("beacon_0");
    return report.image == second && report.state == InstanceState::running;
  }));
  // A clock that is set is no time that passes.
  ahead_ = std::chrono::hours{5};
  for (int i = 0; i < 30; ++i)  // the thread has looked at the clock in between
    EXPECT_EQ(report_of("beacon_0").update.state, UpdateState::installing);
  EXPECT_EQ(report_of("beacon_0").image, second);
  EXPECT_EQ(report_of("beacon_0").update.state, UpdateState::installing);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (report_of("beacon_0").update.state != UpdateState::failed &&
         std::chrono::steady_clock::now() < end) {
    ahead_ = ahead_.load() + std::chrono::seconds{2};
  }
  EXPECT_TRUE(wait_for_image(first));
  EXPECT_EQ(report_of("beacon_0").update.state, UpdateState::failed);
  EXPECT_NE(report_of("beacon_0").update.reason.find("healthy"), std::string::npos);
}

TEST_F(SensorTest, AnInstallThatDoesNotFitIsRefusedWithNumbers) {
  runtime_.pool = {std::uint64_t{4} << 20, std::uint64_t{2} << 20};
  launch();
  add_image("1.0");
  ASSERT_TRUE(wait_for([&] { return sensor_->report().pool.total != 0; }));
  const auto refused = install("beacon");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::limit);
  EXPECT_NE(refused.error().message().find("MiB"), std::string::npos);
}

TEST_F(SensorTest, AConfigurationIsCheckedVersionedAndGivenToTheRunning) {
  launch();
  add_image("1.0");
  ASSERT_TRUE(install("beacon"));
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  Sensor::Change wrong;
  wrong.config_json = R"({"every": "often"})";
  EXPECT_FALSE(sensor_->change("beacon_0", wrong, "anna", false));
  Sensor::Change right;
  right.config_json = R"({"every": 5})";
  ASSERT_TRUE(sensor_->change("beacon_0", right, "anna", false));
  const auto versions = sensor_->config_versions("beacon_0");
  ASSERT_TRUE(versions);
  ASSERT_EQ(versions->size(), 2U);
  EXPECT_EQ(versions->back().who, "anna");
  EXPECT_EQ(versions->back().json, R"({"every":5})");
  Sensor::Change late = right;
  late.expected_config_version = 1;
  EXPECT_FALSE(sensor_->change("beacon_0", late, "bert", false));
  runtime_.with([](test::FakeRuntime& all) { EXPECT_EQ(all.starts["beacon-0"], 1); });
}

TEST_F(SensorTest, ABrokenInstanceRunsAgainWhenItsServicesTakeBackWhatBrokeIt) {
  broken_after_ = 1;
  launch();
  const std::string image = add_image("1.0");
  runtime_.with([&](test::FakeRuntime& all) { all.crashing = {image}; });
  ASSERT_TRUE(install("beacon"));
  ASSERT_TRUE(wait_for_state(InstanceState::broken));
  runtime_.with([](test::FakeRuntime& all) { all.crashing.clear(); });
  services_->ask_restart("beacon_0", "a resource was rolled back");
  EXPECT_TRUE(wait_for_state(InstanceState::running));
}

TEST_F(SensorTest, TheDesiredStateIsRolledBack) {
  launch();
  add_image("1.0");
  const auto first = install("beacon");
  ASSERT_TRUE(first);
  ASSERT_TRUE(sensor_->remove("beacon_0", "anna"));
  ASSERT_TRUE(sensor_->roll_back_desired(*first, "anna"));
  EXPECT_EQ(sensor_->desired_versions().size(), 3U);
  EXPECT_TRUE(wait_for_state(InstanceState::running));
}

TEST_F(SensorTest, AFaultOfItsOwnEndsATurnAndNotTheSensor) {
  launch();
  faults_ = 3;
  ASSERT_TRUE(wait_for([&] { return faults_ <= 0; }));
  add_image("1.0");
  ASSERT_TRUE(install("beacon"));
  EXPECT_TRUE(wait_for_state(InstanceState::running));
}

}  // namespace
}  // namespace beaconry
