#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "sensor/test_sensor.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;
using SensorFiles = test::SensorOnFakes;

TEST_F(SensorFiles, NoStartWaitsBehindFilesThatArePulled) {
  std::promise<void> end;
  runtime_.pulling = [ends = end.get_future().share()] { ends.wait(); };
  launch();
  add_image("1.0");
  std::atomic<int> pulled{0};
  for (int n = 0; n < 8; ++n)
    services_->options.pull("beacon_0", "/transient-data/x", folder_ + "/pulled", 100,
                            [&](const Result<void>&) { ++pulled; });
  EXPECT_TRUE(install("beacon"));
  EXPECT_TRUE(wait_for_state(InstanceState::running));
  EXPECT_EQ(pulled, 0);
  end.set_value();
  EXPECT_TRUE(wait_for([&] { return pulled == 8; }));
}

TEST_F(SensorFiles, FilesDefineInstancesAndATypingErrorRemovesNone) {
  launch();
  const std::string image = write_image("1.0"), file = folder_ + "/sensor.d/beacon.yaml";
  std::ofstream(file) << "instances:\n  beacon_0:\n    image: " << image << "\n    retention: 2d\n";
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  std::ofstream(file) << "instances:\n  beacon_0:\n    imag: " << image << "\n";
  ASSERT_TRUE(wait_for([&] { return !sensor_->report().problems.empty(); }));
  EXPECT_NE(sensor_->report().problems.front().find("line"), std::string::npos)
      << sensor_->report().problems.front();
  EXPECT_EQ(report_of("beacon_0").state, InstanceState::running);
  Sensor::Change stop;
  stop.running = false;
  const auto refused = sensor_->change("beacon_0", stop, "anna", false);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("beacon.yaml"), std::string::npos);
  fs::remove(file);
  const auto has_volumes = [&] {
    bool some = false;
    runtime_.with([&](test::FakeRuntime& all) { some = !all.held_volumes.empty(); });
    return some;
  };
  ASSERT_TRUE(wait_for_state(InstanceState::created));
  EXPECT_NE(report_of("beacon_0").cause.find("kept until"), std::string::npos);
  EXPECT_TRUE(has_volumes());
  // Meant: its data need not wait for a day.
  EXPECT_TRUE(sensor_->remove("beacon_0", "anna"));
  EXPECT_TRUE(wait_for([&] { return sensor_->report().instances.empty(); }));
  EXPECT_FALSE(has_volumes());
}

TEST_F(SensorFiles, ATieThatCanNeverHoldIsRefusedAlsoOfAFile) {
  launch();
  add_image("3.0");
  Sensor::Change change;
  change.image = "beacon";
  change.interfaces = {{"probe", InterfaceWish::Kind::mirror, "br0", "none", "", {}}};
  const auto refused = sensor_->change("beacon_0", change, "anna", true);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("can send nothing"), std::string::npos);
  std::ofstream(folder_ + "/sensor.d/beacon.yaml")
      << "instances:\n  beacon_0:\n    image: beacon\n    interfaces:\n"
      << "      - {name: probe, kind: mirror, parent: br0}\n";
  ASSERT_TRUE(wait_for([&] { return !sensor_->report().problems.empty(); }));
  EXPECT_NE(sensor_->report().problems.front().find("can send nothing"), std::string::npos);
  EXPECT_TRUE(sensor_->report().instances.empty());
}

TEST_F(SensorFiles, AnImageOfAFileThatCouldNotBeCopiedIsTriedAgain) {
  unreadable_ = true;
  launch();
  std::ofstream(folder_ + "/sensor.d/beacon.yaml")
      << "instances:\n  beacon_0:\n    image: " << write_image("1.0") << "\n";
  ASSERT_TRUE(wait_for([&] { return !sensor_->report().problems.empty(); }));
  ahead_ = ahead_.load() + std::chrono::minutes{2};
  ASSERT_TRUE(wait_for([&] { return inspected_ > 1; }));
  // What is wrong stays so until a try succeeds.
  EXPECT_FALSE(sensor_->report().problems.empty());
  unreadable_ = false;
  // The try that is under way may fail still, and the next is due a while after its end.
  EXPECT_TRUE(wait_for([&] {
    if (sensor_->report().problems.empty()) return true;
    ahead_ = ahead_.load() + std::chrono::minutes{2};
    return false;
  }));
  EXPECT_TRUE(wait_for_state(InstanceState::running));
}

}  // namespace
}  // namespace beaconry
