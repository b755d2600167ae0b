#include "sensor/sensor.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "base/text.h"
#include "sensor/instance_steps.h"
#include "sensor/test_parts.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;

// Images of these tests are texts: "beacon 1.0 signed".
Result<ImageInfo> inspect(const std::string& file, const std::string& keys_folder) {
  std::ifstream stream(file);
  ImageInfo image;
  std::string key;
  stream >> image.manifest.name >> image.manifest.version >> key;
  if (key.empty()) return fail(ErrorKind::malformed, "read", file, "it is no image");
  if (key == "signed" && fs::exists(keys_folder + "/test.pub")) image.signed_by = "key";
  image.file = file;
  image.fingerprint = std::string(60, '0') + image.manifest.version + "x";
  image.unpacked_bytes = 1 << 20;
  image.manifest.limits.persistent = 1 << 20;
  // Of 3.0 on, another configuration and an interface.
  const bool is_new = image.manifest.version >= "3";
  image.manifest.config_schema_json = R"({"type": "object", "properties": {")" +
                                      std::string(is_new ? "period" : "every") +
                                      R"(": {"type": "integer"}}, "additionalProperties": false})";
  if (is_new) image.manifest.interfaces.push_back({"probe", Direction::both, false, ""});
  for (std::string word; stream >> word;)
    image.manifest.capabilities.push_back(word);
  return image;
}

class SensorTest : public testing::Test {
 protected:
  SensorTest() {
    char name[] = "/tmp/beaconry_sensor_XXXXXX";
    folder_ = ::mkdtemp(name);
    fs::create_directories(folder_ + "/sensor.d");
    fs::create_directories(folder_ + "/keys");
    std::ofstream(folder_ + "/keys/test.pub") << "key";
  }
  ~SensorTest() override {
    halt();
    fs::remove_all(folder_);
  }

  void launch() {
    Sensor::Options options;
    options.name = "sensor001";
    options.state_folder = folder_ + "/state";
    options.desired_folder = folder_ + "/sensor.d";
    options.keys_folder = folder_ + "/keys";
    options.broken_after = broken_after_;
    options.clock = [this] {
      if (const Timestamp now = frozen_.load(); now != Timestamp{}) return now;
      return std::chrono::floor<Duration>(std::chrono::system_clock::now()) + ahead_.load();
    };
    Sensor::Makers makers;
    makers.inspect = [this](const std::string& file, const std::string& keys) -> Result<ImageInfo> {
      ++inspected_;
      if (unreadable_) return fail(ErrorKind::io, "read", file, "the disk is full");
      return inspect(file, keys);
    };
    makers.network =
        [this](const Network::Options&,
               const std::vector<std::string>& running) -> Result<std::unique_ptr<Network>> {
      running_at_start_ = running;
      auto made = std::make_unique<test::FakeNetwork>();
      network_ = made.get();
      return made;
    };
    makers.services = [this](const Services::Options& given) -> Result<std::unique_ptr<Services>> {
      auto made = std::make_unique<test::FakeServices>(given);
      made->sick = sick_;
      services_ = made.get();
      return made;
    };
    auto sensor = Sensor::open(options, runtime_, makers);
    ASSERT_TRUE(sensor) << sensor.error().message();
    sensor_ = std::move(*sensor);
    thread_ = std::thread([this] { sensor_->run(); });
  }
  // As a kill does: containers run on, and nothing is tidied up.
  void halt() {
    if (!sensor_) return;
    sensor_->stop();
    thread_.join();
    sensor_.reset();
  }

  // What its parts remember can be looked at while nobody works.
  template <class Look>
  void halt_and(Look look) {
    sensor_->stop();
    thread_.join();
    look();
    sensor_.reset();
  }

  std::string write_image(const std::string& version, const std::string& rest = "signed") {
    const std::string file = folder_ + "/beacon_" + version + ".instrument";
    std::ofstream(file) << "beacon " << version << ' ' << rest;
    return file;
  }
  std::string add_image(const std::string& version, const std::string& rest = "signed") {
    const auto image = sensor_->add_image(write_image(version, rest));
    EXPECT_TRUE(image) << image.error().message();
    return image ? image->fingerprint : "";
  }
  Result<std::uint64_t> install(const std::string& image) {
    Sensor::Change change;
    change.image = image;
    return sensor_->change("beacon_0", change, "anna", true);
  }
  template <class Holds>
  bool wait_for(Holds holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (std::chrono::steady_clock::now() < end) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return false;
  }
  InstanceReport report_of(const std::string& name) {
    for (const InstanceReport& one : sensor_->report().instances) {
      if (one.name == name) return one;
    }
    return {};
  }
  bool wait_for_state(InstanceState state) {
    return wait_for([&] { return report_of("beacon_0").state == state; });
  }
  bool wait_for_image(const std::string& fingerprint) {
    return wait_for([&] {
      bool is = false;
      runtime_.with([&](test::FakeRuntime& all) {
        is = all.boxes.size() == 1 && all.boxes.count("beacon-0") == 1 &&
             all.boxes["beacon-0"].fingerprint == fingerprint && all.boxes["beacon-0"].running;
      });
      return is;
    });
  }

  std::string folder_;
  test::FakeRuntime runtime_;
  test::FakeNetwork* network_ = nullptr;
  test::FakeServices* services_ = nullptr;
  std::vector<std::string> running_at_start_;
  std::set<std::string> sick_;
  unsigned broken_after_ = 5;
  std::atomic<int> inspected_{0};        // images
  std::atomic<bool> unreadable_{false};  // all of them
  std::atomic<Duration> ahead_{Duration{0}};
  std::atomic<Timestamp> frozen_{Timestamp{}};  // else the clock goes
  std::unique_ptr<Sensor> sensor_;
  std::thread thread_;
};

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

TEST_F(SensorTest, AnInterfaceThatIsNotHandedOverYetIsNotLost) {
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

TEST_F(SensorTest, AnInterfaceThatIsLostBeforeTheFirstLookIsToldToo) {
  launch();
  add_image("1.0");
  InterfaceReport net;
  net.name = "net";
  net.present = true;
  network_->show({net});
  frozen_ = std::chrono::floor<Duration>(std::chrono::system_clock::now());  // no look is due
  ASSERT_TRUE(install("beacon"));
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  net.present = false;
  net.cause = "interface br0 lost";
  network_->show({net});
  EXPECT_TRUE(wait_for([&] { return services_->was_told("beacon_0", "interface_lost"); }));
  halt();
}

TEST_F(SensorTest, AnInterfaceThatEndsWithItsContainerIsNotLost) {
  launch();
  add_image("1.0");
  InterfaceReport net;
  net.name = "net";
  net.present = true;
  network_->show({net});
  ASSERT_TRUE(install("beacon"));
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  net.present = false;  // and no cause
  network_->show({net});
  const int before = network_->reported("beacon_0");
  ASSERT_TRUE(wait_for([&] { return network_->reported("beacon_0") > before; }));
  net.present = true;
  network_->show({net});
  const int after = network_->reported("beacon_0");
  ASSERT_TRUE(wait_for([&] { return network_->reported("beacon_0") > after + 1; }));
  EXPECT_FALSE(services_->was_told("beacon_0", "interface_lost"));
  EXPECT_FALSE(services_->was_told("beacon_0", "interface_back"));
  halt();
}

TEST_F(SensorTest, AnInterfaceThatAStartWaitsForIsTheCauseInItsHealth) {
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
TEST_F(SensorTest, AnInterfaceThatIsLostAndComesBackIsToldAtOnce) {
  launch();
  add_image("1.0");
  InterfaceReport net;
  net.name = "net";
  net.present = true;
  network_->show({net});
  ASSERT_TRUE(install("beacon"));
  ASSERT_TRUE(wait_for_state(InstanceState::running));
  ASSERT_TRUE(wait_for([&] { return report_of("beacon_0").interfaces.size() == 1; }));
  std::atomic<bool> away{true};
  runtime_.before = [&](const std::string&, const std::string&) -> Result<void> {
    if (away) return fail(ErrorKind::io, "reach", "LXD", "connection refused");
    return {};
  };
  ASSERT_TRUE(wait_for([&] { return !sensor_->report().runtime_fault.empty(); }));
  net.present = false;
  net.cause = "interface br0 lost";
  network_->show({net});
  EXPECT_TRUE(wait_for([&] { return services_->was_told("beacon_0", "interface_lost"); }));
  net.present = true;
  net.cause.clear();
  network_->show({net});
  EXPECT_TRUE(wait_for([&] { return services_->was_told("beacon_0", "interface_back"); }));
  away = false;
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

TEST_F(SensorTest, NoStartWaitsBehindFilesThatArePulled) {
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

TEST_F(SensorTest, AnAttemptToTransmitIsToldOnceOverRestartsOfTheDaemon) {
  const auto attempts = [&] { return services_->times_told("beacon_0", "tried_to_transmit"); };
  const auto refuse = [&](std::uint64_t packets) {
    InterfaceReport report;
    report.name = "mirror";
    report.present = true;
    report.refused_sent = packets;
    network_->set_report("beacon_0", report);
  };
  launch();
  add_image("1.0");
  ASSERT_TRUE(install("beacon"));
  ASSERT_TRUE(wait_for_state(InstanceState::running));
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

TEST_F(SensorTest, AnUnsignedImageIsRefusedUnlessItIsAllowedByName) {
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

TEST_F(SensorTest, WhatIsNoLongerSignedDoesNotRunOn) {
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

TEST_F(SensorTest, AnUpdateThatMayDoMoreWaitsForApproval) {
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
TEST_F(SensorTest, AnUpdateIsJudgedByWhatWasPermittedAlsoWithoutTheImage) {
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

TEST_F(SensorTest, WhereNobodyKnowsWhatWasPermittedAllOfItWantsAnApproval) {
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

TEST_F(SensorTest, FilesDefineInstancesAndATypingErrorRemovesNone) {
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

TEST_F(SensorTest, ATieThatCanNeverHoldIsRefusedAlsoOfAFile) {
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

TEST_F(SensorTest, AnImageOfAFileThatCouldNotBeCopiedIsTriedAgain) {
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
  ahead_ = ahead_.load() + std::chrono::minutes{2};
  EXPECT_TRUE(wait_for_state(InstanceState::running));
  EXPECT_TRUE(wait_for([&] { return sensor_->report().problems.empty(); }));
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

}  // namespace
}  // namespace beaconry
