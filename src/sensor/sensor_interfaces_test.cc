#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "sensor/test_sensor.h"

namespace beaconry {
namespace {

class SensorInterfaces : public test::SensorOnFakes {
 protected:
  void launch_with_image() {
    launch();
    add_image("1.0");
  }
  bool runs_once_installed() { return install("beacon") && wait_for_state(InstanceState::running); }
  // The instance's interface; absent with a cause: lost, without one: gone with its container.
  void show_present() {
    InterfaceReport net;
    net.name = "net";
    net.present = true;
    network_->show({net});
  }
  void show_absent(const std::string& cause = "") {
    InterfaceReport net;
    net.name = "net";
    net.cause = cause;
    network_->show({net});
  }
};

TEST_F(SensorInterfaces, AnInterfaceThatIsNotHandedOverYetIsNotLost) {
  launch();
  network_->has_reports = true;
  std::atomic<int> looks{0};
  std::atomic<bool> attaching{false}, may_attach{false};
  network_->before = [&](const std::string& call, const std::string&) -> Result<void> {
    if (call != "attach" || may_attach) return {};
    attaching = true;
    return fail(ErrorKind::io, "attach", "interface probe", "not yet");
  };
  runtime_.before = [&](const std::string& call, const std::string&) -> Result<void> {
    looks += call == "list" ? 1 : 0;
    return {};
  };
  add_image("1.0");
  ASSERT_TRUE(install("beacon"));
  ASSERT_TRUE(wait_for([&] { return attaching.load(); }));
  const auto another_look = [&] {
    const int before = looks;
    ahead_ = ahead_.load() + std::chrono::seconds{9};
    return wait_for([&] { return looks > before; });
  };
  // Two looks that both began and ended while it was not handed over.
  for (int more = 0; more < 3; ++more)
    ASSERT_TRUE(another_look());
  may_attach = true;
  for (int more = 0; more < 20 && services_->seen_present == 0; ++more)
    ASSERT_TRUE(another_look());
  EXPECT_GT(services_->seen_present, 0);
  EXPECT_EQ(services_->seen_absent, 0);
  EXPECT_EQ(services_->interface_news, 0);
  halt();
}

TEST_F(SensorInterfaces, AnInterfaceThatIsLostBeforeTheFirstLookIsToldToo) {
  launch_with_image();
  show_present();
  frozen_ = std::chrono::floor<Duration>(std::chrono::system_clock::now());  // no look is due
  ASSERT_TRUE(runs_once_installed());
  show_absent("interface br0 lost");
  EXPECT_TRUE(wait_for([&] { return services_->was_told("beacon_0", "interface_lost"); }));
  halt();
}

TEST_F(SensorInterfaces, AnInterfaceThatEndsWithItsContainerIsNotLost) {
  launch_with_image();
  show_present();
  ASSERT_TRUE(runs_once_installed());
  show_absent();
  const int before = network_->reported("beacon_0");
  ASSERT_TRUE(wait_for([&] { return network_->reported("beacon_0") > before; }));
  show_present();
  const int after = network_->reported("beacon_0");
  ASSERT_TRUE(wait_for([&] { return network_->reported("beacon_0") > after + 1; }));
  EXPECT_FALSE(services_->was_told("beacon_0", "interface_lost"));
  EXPECT_FALSE(services_->was_told("beacon_0", "interface_back"));
  halt();
}

TEST_F(SensorInterfaces, AnInterfaceThatAStartWaitsForIsTheCauseInItsHealth) {
  launch();
  InterfaceReport probe, fine;
  probe.name = "probe";
  probe.cause = "interface eth9 lost";
  fine.name = "fine";
  std::atomic<bool> is_there{false};
  network_->before = [&](const std::string& call, const std::string&) -> Result<void> {
    if (call != "prepare" || is_there) return {};
    return fail(ErrorKind::not_found, "tie", "interface probe", "there is no interface eth9");
  };
  network_->show({probe, fine});
  const std::string image = add_image("1.0");
  ASSERT_TRUE(install(image));
  ASSERT_TRUE(wait_for_state(InstanceState::errored));
  const auto parts = report_of("beacon_0").health.parts;
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].cause, "interface eth9 lost");
  // One that ends by itself has no interfaces either, and nobody misses them.
  runtime_.with([&](test::FakeRuntime& all) { all.crashing = {image}; });
  is_there = true;
  ASSERT_TRUE(wait_for([&] {
    ahead_ = ahead_.load() + std::chrono::seconds{9};
    const InstanceReport now = report_of("beacon_0");
    return now.state == InstanceState::errored && now.failures > 0;
  }));
  EXPECT_TRUE(report_of("beacon_0").health.parts.empty());
  halt();
}

// Not at the next look, before which it may be back; here none comes any more.
TEST_F(SensorInterfaces, AnInterfaceThatIsLostAndComesBackIsToldAtOnce) {
  launch_with_image();
  show_present();
  ASSERT_TRUE(runs_once_installed());
  ASSERT_TRUE(wait_for([&] { return report_of("beacon_0").interfaces.size() == 1; }));
  std::atomic<bool> away{true};
  runtime_.before = [&](const std::string&, const std::string&) -> Result<void> {
    if (away) return fail(ErrorKind::io, "reach", "LXD", "connection refused");
    return {};
  };
  ASSERT_TRUE(wait_for([&] { return !sensor_->report().runtime_fault.empty(); }));
  show_absent("interface br0 lost");
  EXPECT_TRUE(wait_for([&] { return services_->was_told("beacon_0", "interface_lost"); }));
  show_present();
  EXPECT_TRUE(wait_for([&] { return services_->was_told("beacon_0", "interface_back"); }));
  away = false;
}

TEST_F(SensorInterfaces, AManagementNetworkThatCannotBeIsToldAndTouchesNothing) {
  launch();
  EXPECT_EQ(sensor_->report().management.state, ManagementReport::State::none);
  const auto version = sensor_->set_desired(
      R"({"instances": {}, "management": {"interface": "nosuch0", "address": "192.0.2.5/24"}})",
      "anna");
  ASSERT_TRUE(version) << version.error().message();
  ASSERT_TRUE(wait_for(
      [&] { return sensor_->report().management.state == ManagementReport::State::reverted; }));
  const SensorReport report = sensor_->report();
  EXPECT_EQ(report.management.version, *version);
  EXPECT_NE(report.management.reason.find("nosuch0: it is not there"), std::string::npos);
  EXPECT_NE(report.to_json().find("\"state\": \"reverted\""), std::string::npos);
  EXPECT_EQ(report.health.parts.front().name, "management network");
  EXPECT_FALSE(sensor_->management_trial());
  const auto confirmed = sensor_->confirm_management(std::nullopt);
  ASSERT_FALSE(confirmed);
  EXPECT_NE(confirmed.error().message().find("none is on trial"), std::string::npos);
}

TEST_F(SensorInterfaces, AnAttemptToTransmitIsToldOnceOverRestartsOfTheDaemon) {
  const auto attempts = [&] { return services_->times_told("beacon_0", "tried_to_transmit"); };
  const auto refuse = [&](std::uint64_t packets) {
    InterfaceReport report;
    report.name = "mirror";
    report.present = true;
    report.refused_sent = packets;
    network_->set_report("beacon_0", report);
  };
  launch_with_image();
  ASSERT_TRUE(runs_once_installed());
  refuse(3);
  const auto kept = [&] {
    std::ifstream file(folder_ + "/state/instances/beacon_0/memory.json");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    return text.find("\"mirror\": 3") != std::string::npos;
  };
  ASSERT_TRUE(wait_for(kept));
  halt_and([&] { EXPECT_EQ(attempts(), 1); });
  // The successor sees the same, and then one more.
  launch();
  refuse(3);
  ASSERT_TRUE(wait_for([&] { return network_->reported("beacon_0") >= 2; }));
  refuse(4);
  ASSERT_TRUE(wait_for([&] { return !kept(); }));
  halt_and([&] { EXPECT_EQ(attempts(), 1); });
}

}  // namespace
}  // namespace beaconry
