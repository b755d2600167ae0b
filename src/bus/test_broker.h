#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "bus/broker.h"

namespace beaconry {

// A real broker in a folder of its own, or a skipped test where there is no Mosquitto.
class TestBroker : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/bcbusXXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;  // mode 0700: the broker must do without the folders above its own
  }
  void TearDown() override {
    broker_.reset();
    std::filesystem::remove_all(folder_);
  }

  Broker::Options options() const {
    Broker::Options options;
    options.folder = folder_ + "/bus";
    options.state_folder = folder_ + "/state";
    options.most_memory = most_memory_;
    options.probe_every = probe_every_;
    options.probe_patience = probe_patience_;
    return options;
  }
  std::string socket() const { return folder_ + "/bus/bus.sock"; }

  void start(const std::vector<BusAccount>& accounts) {
    auto broker = Broker::start(options(), accounts);
    if (!broker && broker.error().kind == ErrorKind::not_found) {
      GTEST_SKIP() << broker.error().message();
    }
    ASSERT_TRUE(broker) << broker.error().message();
    broker_ = std::move(*broker);
  }

  static BusAccount account(const std::string& instance) {
    return {instance, "password of " + instance, {}, {}};
  }

  MqttClient::Options client_options(const BusAccount& as, const std::string& client_id = {}) {
    MqttClient::Options client;
    client.socket = socket();
    client.client_id = client_id.empty() ? as.instance : client_id;
    client.user = as.instance;
    client.password = as.password;
    return client;
  }
  Result<std::unique_ptr<MqttClient>> connect(const BusAccount& as,
                                              const std::string& client_id = {}) {
    return MqttClient::connect(client_options(as, client_id));
  }

  // Works all until it is so; generous, since machines are slow.
  bool until(const std::function<bool()>& is_so) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (std::chrono::steady_clock::now() < deadline) {
      if (broker_) broker_->work(heard_);
      if (is_so()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return false;
  }

  std::string folder_;
  std::uint64_t most_memory_ = Broker::Options{}.most_memory;
  std::chrono::milliseconds probe_every_{5000}, probe_patience_{15000};
  std::unique_ptr<Broker> broker_;
  std::vector<MqttClient::Message> heard_;  // by the platform
};

}  // namespace beaconry
