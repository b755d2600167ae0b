#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"
#include "bus/mqtt_client.h"
#include "bus/topics.h"
#include "sensor/services.h"
#include "sensor/services/test_folder.h"

namespace beaconry {

// An instrument of few words on a real bus: remembers what it is told, answers what it is set to.
class TestInstrument {
 public:
  // As an instrument does: all from its identity.json, but the bus by the host's path.
  TestInstrument(const std::string& run, const std::string& instance, bool says_hello = true)
      : name_(instance), says_hello_(says_hello) {
    const auto text = read_small_file(run + "/instances/" + instance + "/identity.json", 1 << 16);
    EXPECT_TRUE(text) << text.error().message();
    const auto identity = nlohmann::json::parse(*text);
    options_.socket = run + "/closed/bus/bus.sock";
    options_.client_id = options_.user = identity["bus"]["user"];
    options_.password = identity["bus"]["password"];
    connect();
  }

  void connect() {
    client_.reset();
    auto client = MqttClient::connect(options_);
    if (!client) return;
    if (!(*client)->subscribe(topics::to_instrument(name_))) return;
    for (const std::string& filter : filters)
      if (!(*client)->subscribe(filter)) return;
    client_ = std::move(*client);
    if (says_hello_) say(from_instrument::Hello{"1.0", "test"});
  }
  void leave() { client_.reset(); }

  void say(const FromInstrument& message) { say_raw(encode(message)); }
  void say_raw(const std::string& payload) {
    if (client_) (void)client_->publish(topics::from_instrument(name_), payload);
  }

  void work() {
    if (!client_) return connect();
    std::vector<MqttClient::Message> messages;
    if (!client_->work(messages)) return leave();
    for (const auto& message : messages) {
      if (message.topic != topics::to_instrument(name_)) {
        others.push_back(message);
        continue;
      }
      auto decoded = decode_to_instrument(message.payload);
      ASSERT_TRUE(decoded) << decoded.error().message();
      answer(*decoded);
      heard.push_back(std::move(*decoded));
    }
  }

  template <class Kind>
  std::vector<Kind> all() const {
    std::vector<Kind> found;
    for (const auto& one : heard) {
      if (const auto* message = std::get_if<Kind>(&one)) found.push_back(*message);
    }
    return found;
  }
  std::size_t acknowledged() const {
    std::size_t count = 0;
    for (const auto& one : all<to_instrument::Acknowledge>())
      count += one.events.size();
    return count;
  }
  std::size_t refused() const {
    std::size_t count = 0;
    for (const auto& one : all<to_instrument::Refuse>())
      count += one.events.size();
    return count;
  }
  MqttClient* client() { return client_.get(); }
  // Whoever's rights change is cut off by the broker and comes again.
  void publish(const std::string& topic, const std::string& payload) {
    if (client_) (void)client_->publish(topic, payload);
  }

  // Versions that it does not apply: FAILED with the text, or silence for "hang".
  std::map<std::uint64_t, std::string> bad;
  std::vector<std::string> filters;  // what else it hears
  bool answers_health = true;
  std::string receipt_error;  // what it says to `retain`
  std::size_t receipts = 0;
  HealthState state = HealthState::healthy;
  std::uint64_t running_version = 0;
  std::vector<ToInstrument> heard;
  std::vector<MqttClient::Message> others;

 private:
  void answer(const ToInstrument& message) {
    if (const auto* ask = std::get_if<to_instrument::AskHealth>(&message); ask && answers_health) {
      Health health;
      health.name = name_;
      health.state = state;
      say(from_instrument::HealthAnswer{ask->uuid, health});
    }
    if (const auto* retain = std::get_if<to_instrument::Retain>(&message)) {
      say(from_instrument::Receipt{
          {retain->uuid, retain->before, 3, 300, std::nullopt, receipt_error}});
      ++receipts;
    }
    if (const auto* configure = std::get_if<to_instrument::Configure>(&message)) {
      const std::uint64_t version = configure->document.version;
      const auto fault = bad.find(version);
      if (fault == bad.end()) {
        running_version = version;
        say(from_instrument::Configured{version, ConfigState::applied, ""});
      } else if (fault->second != "hang") {
        say(from_instrument::Configured{version, ConfigState::failed, fault->second});
      }
    }
  }

  std::string name_;
  bool says_hello_;
  MqttClient::Options options_;
  std::unique_ptr<MqttClient> client_;
};

// The services over a real broker, in a folder of their own; a skipped test where there is none.
class ServicesTest : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void TearDown() override {
    instruments_.clear();
    services_.reset();
  }

  void open() {
    services_.reset();
    Services::Options options;
    options.sensor = "sensor001";
    options.folder = folder_.path() + "/state";
    options.run_folder = folder_.path() + "/run";
    options.spool_folder = folder_.path() + "/spool";
    options.keys_folder = folder_.path() + "/keys";
    options.clock = [this] { return now(); };
    options.restart = [this](const std::string& instance, const std::string& why) {
      restarts_.emplace_back(instance, why);
    };
    options.pull = [this](const std::string& instance, const std::string& path,
                          const std::string& to, std::uint64_t most,
                          std::function<void(Result<void>)> done) {
      pull(instance, path, to, most, std::move(done));
    };
    change(options);
    auto opened = Services::open(options);
    if (!opened && opened.error().kind == ErrorKind::not_found) {
      GTEST_SKIP() << opened.error().message();
    }
    ASSERT_TRUE(opened) << opened.error().message();
    services_ = std::move(*opened);
  }
  virtual void change(Services::Options&) {}
  virtual void pull(const std::string&, const std::string&, const std::string&, std::uint64_t,
                    const std::function<void(Result<void>)>& done) {
    done(fail(ErrorKind::not_found, "pull", "", "nothing there"));
  }

  // Real time and what the test adds to it; the services are told of it in steps that are none of a
  // clock that was set.
  Timestamp now() const {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()) + ahead_;
  }
  void pass(std::chrono::seconds time) {
    for (std::chrono::seconds at{0}; at < time; at += std::chrono::seconds{5}) {
      ahead_ += std::chrono::seconds{5};
      turn();
    }
  }

  static Services::Instance instance(const std::string& name) {
    Services::Instance one;
    one.name = name;
    one.manifest.name = InstanceName::parse(name)->instrument;
    one.manifest.version = "1.0";
    one.manifest.event_types = {"alert"};
    one.manifest.config_schema_json = R"({"type":"object"})";
    one.manifest.limits.events_per_second = 100;
    one.config_json = "{}";
    one.config_version = 1;
    one.retention = std::chrono::hours{24};
    return one;
  }
  // As the lifecycle does: it is prepared, it comes, and then it is handed over.
  TestInstrument& start(const Services::Instance& of) {
    const auto folders = services_->prepare(of);
    EXPECT_TRUE(folders) << folders.error().message();
    auto& place = instruments_[of.name];
    place = std::make_unique<TestInstrument>(folder_.path() + "/run", of.name);
    turn();
    attach(of);
    return *place;
  }
  void attach(const Services::Instance& of) {
    const auto folders = services_->prepare(of);
    EXPECT_TRUE(folders) << folders.error().message();
    services_->started(of, now());
  }
  void stop(const std::string& name) {
    instruments_.erase(name);
    services_->stopped(name, now());
  }

  void turn() {
    services_->work(now());
    for (auto& [name, one] : instruments_)
      one->work();
  }
  // Generous, since machines are slow.
  bool until(const std::function<bool()>& is_so) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (std::chrono::steady_clock::now() < deadline) {
      turn();
      if (is_so()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return false;
  }
  // Long enough for what must not come: the answers to messages that went behind it.
  InstanceReport report(const std::string& name) const {
    InstanceReport one;
    one.name = name;
    one.state = InstanceState::running;
    services_->fill(one);
    return one;
  }
  Event event(const std::string& instrument = "beacon") const {
    Event one;
    one.uuid = make_uuid();
    one.timestamp = now();
    one.type = "instruments." + instrument + ".ev.alert";
    one.message = "a leak";
    return one;
  }

  TestFolder folder_;
  Duration ahead_{0};
  std::vector<std::pair<std::string, std::string>> restarts_;
  std::unique_ptr<Services> services_;
  std::map<std::string, std::unique_ptr<TestInstrument>> instruments_;
};

}  // namespace beaconry
