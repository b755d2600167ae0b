// The Python example against a real broker, with the test as the platform.
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "bus/messages.h"
#include "bus/test_broker.h"
#include "bus/topics.h"
#include "sdk/child.h"

namespace beaconry {
namespace {

class PythonInstrumentTest : public TestBroker {
 protected:
  void launch() {
    std::filesystem::create_directories(folder_ + "/run");
    std::ofstream(folder_ + "/run/identity.json")
        << nlohmann::json{{"instance", "heartbeat_0"},
                          {"sensor", "sensor001"},
                          {"instrument", "heartbeat"},
                          {"version", "1.0"},
                          {"bus",
                           {{"socket", socket()},
                            {"user", "heartbeat_0"},
                            {"password", account("heartbeat_0").password}}},
                          {"interfaces", nlohmann::json::array()}};
    sdk::Child::Options options;
    options.command = {"/usr/bin/python3", BEACONRY_SOURCE_DIR "/examples/python-instrument/run",
                       folder_ + "/run"};
    options.environment = {"OUTBOX=" + folder_ + "/run/outbox.json"};
    options.restart = false;
    child_ = std::make_unique<sdk::Child>(options);
    ASSERT_TRUE(child_->start());
  }

  // The first message of the kind, which must come.
  template <class Kind>
  Kind expect() {
    Kind found;
    EXPECT_TRUE(until([&] {
      child_->work();
      for (const MqttClient::Message& message : heard_) {
        auto decoded = decode_from_instrument(message.payload);
        EXPECT_TRUE(decoded) << message.payload << decoded.error().message();
        if (!decoded || !std::holds_alternative<Kind>(*decoded)) continue;
        found = std::get<Kind>(*decoded);
        return true;
      }
      return false;
    })) << (child_->last_lines().empty() ? "" : child_->last_lines().back());
    return found;
  }

  std::size_t events() {
    std::set<std::string> uuids;
    for (const MqttClient::Message& message : heard_) {
      const auto decoded = decode_from_instrument(message.payload);
      const auto* said = decoded ? std::get_if<from_instrument::Publish>(&*decoded) : nullptr;
      if (said != nullptr) uuids.insert(said->event.uuid);
    }
    return uuids.size();
  }

  bool is_said_again(const std::string& uuid) {
    return until([&] {
      child_->work();
      return std::any_of(heard_.begin(), heard_.end(), [&](const MqttClient::Message& message) {
        const auto decoded = decode_from_instrument(message.payload);
        const auto* said = decoded ? std::get_if<from_instrument::Publish>(&*decoded) : nullptr;
        return said != nullptr && said->event.uuid == uuid;
      });
    });
  }

  void say(const ToInstrument& message) {
    ASSERT_TRUE(broker_->publish(topics::to_instrument("heartbeat_0"), encode(message)));
  }

  std::unique_ptr<sdk::Child> child_;
};

TEST_F(PythonInstrumentTest, SpeaksTheWholeProtocolAndLosesNoEvent) {
  if (std::system("/usr/bin/python3 -c 'import paho.mqtt.client' 2>/dev/null") != 0) {
    GTEST_SKIP() << "python3-paho-mqtt is not installed";
  }
  start({account("heartbeat_0")});
  if (!broker_) return;
  launch();
  EXPECT_EQ(expect<from_instrument::Hello>().sdk, "python");
  const auto first = expect<from_instrument::Publish>().event;
  EXPECT_EQ(first.type, "instruments.heartbeat.ev.beat");
  const Timestamp when = *parse_rfc3339("2026-11-21T18:00:00Z");
  say(to_instrument::Configure{{"heartbeat_0", 4, make_uuid(), when, "", R"({"every":0.05})"}});
  EXPECT_EQ(expect<from_instrument::Configured>().version, 4U);
  // From now on, not only after the minute that it began with.
  EXPECT_TRUE(until([&] {
    child_->work();
    return events() >= 3;
  }));
  const std::string uuid = make_uuid();
  say(to_instrument::AskHealth{uuid});
  EXPECT_EQ(expect<from_instrument::HealthAnswer>().health.state, HealthState::healthy);
  say(to_instrument::Retain{uuid, when});
  EXPECT_EQ(expect<from_instrument::Receipt>().receipt.before, when);

  // Nothing was acknowledged: after the broker's end and its own it says the first event again.
  heard_.clear();
  ASSERT_EQ(::kill(broker_->process(), SIGKILL), 0);
  EXPECT_TRUE(is_said_again(first.uuid));
  child_->signal(SIGKILL);
  ASSERT_TRUE(until([&] {
    child_->work();
    return !child_->is_running();
  }));
  heard_.clear();
  launch();
  EXPECT_TRUE(is_said_again(first.uuid));
  say(to_instrument::Acknowledge{{first.uuid}});
  EXPECT_TRUE(until([&] {
    child_->work();
    std::ifstream file(folder_ + "/run/outbox.json");
    const auto left = nlohmann::json::parse(file, nullptr, false);
    return left.is_array() && left.dump().find(first.uuid) == std::string::npos;
  }));
  child_->stop();
  EXPECT_EQ(child_->last_end(), "status 0");
}

}  // namespace
}  // namespace beaconry
