#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "http/certificates.h"
#include "sensor/sensor.h"
#include "sensor/test_parts.h"

namespace beaconry::test {

// Images of these tests are texts: "beacon 1.0 signed".
inline Result<ImageInfo> inspect_text(const std::string& file, const std::string& keys_folder) {
  std::ifstream stream(file);
  ImageInfo image;
  std::string key;
  stream >> image.manifest.name >> image.manifest.version >> key;
  if (key.empty()) return fail(ErrorKind::malformed, "read", file, "it is no image");
  if (key == "signed" && std::filesystem::exists(keys_folder + "/test.pub"))
    image.signed_by = "key";
  image.file = file;
  image.fingerprint = sha256_hex(image.manifest.version + key);
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

// A sensor on a runtime, a network and services in memory, that can be killed and started again.
class SensorOnFakes : public testing::Test {
 protected:
  SensorOnFakes() {
    char name[] = "/tmp/beaconry_sensor_XXXXXX";
    folder_ = ::mkdtemp(name);
    std::filesystem::create_directories(folder_ + "/sensor.d");
    std::filesystem::create_directories(folder_ + "/keys");
    std::ofstream(folder_ + "/keys/test.pub") << "key";
  }
  ~SensorOnFakes() override {
    halt();
    std::filesystem::remove_all(folder_);
  }

  void launch() {
    Sensor::Options options;
    options.name = "sensor001";
    options.state_folder = folder_ + "/state";
    options.desired_folder = folder_ + "/sensor.d";
    options.keys_folder = folder_ + "/keys";
    options.broken_after = broken_after_;
    options.clock = [this] {
      if (faults_ > 0 && faults_-- > 0) throw std::runtime_error("it was not thought of");
      if (const Timestamp now = frozen_.load(); now != Timestamp{}) return now;
      return std::chrono::floor<Duration>(std::chrono::system_clock::now()) + ahead_.load();
    };
    Sensor::Makers makers;
    makers.inspect = [this](const std::string& file, const std::string& keys) -> Result<ImageInfo> {
      ++inspected_;
      if (unreadable_) return fail(ErrorKind::io, "read", file, "the disk is full");
      return inspect_text(file, keys);
    };
    makers.network =
        [this](const Network::Options&,
               const std::vector<std::string>& running) -> Result<std::unique_ptr<Network>> {
      running_at_start_ = running;
      auto made = std::make_unique<FakeNetwork>();
      network_ = made.get();
      return made;
    };
    makers.services = [this](const Services::Options& given) -> Result<std::unique_ptr<Services>> {
      auto made = std::make_unique<FakeServices>(given);
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
  InstanceReport report_of(const std::string& name = "beacon_0") {
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
      runtime_.with([&](FakeRuntime& all) {
        is = all.boxes.size() == 1 && all.boxes.count("beacon-0") == 1 &&
             all.boxes["beacon-0"].fingerprint == fingerprint && all.boxes["beacon-0"].running;
      });
      return is;
    });
  }

  std::string folder_;
  FakeRuntime runtime_;
  FakeNetwork* network_ = nullptr;
  FakeServices* services_ = nullptr;
  std::vector<std::string> running_at_start_;
  std::set<std::string> sick_;
  unsigned broken_after_ = 5;
  std::atomic<int> inspected_{0};        // images
  std::atomic<int> faults_{0};           // looks at the clock that throw
  std::atomic<bool> unreadable_{false};  // all of them
  std::atomic<Duration> ahead_{Duration{0}};
  std::atomic<Timestamp> frozen_{Timestamp{}};  // else the clock goes
  std::unique_ptr<Sensor> sensor_;
  std::thread thread_;
};

}  // namespace beaconry::test
