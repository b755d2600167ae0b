#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bus/mqtt_client.h"

namespace beaconry::sdk {

// A connection to the bus that comes back: with backoff, and with all its subscriptions. One
// thread; blocks for the client's patience while it connects, else never.
class BusLink {
 public:
  using Clock = std::chrono::steady_clock;
  // `own` filters must be granted, else the connection counts for nothing.
  BusLink(MqttClient::Options options, std::vector<std::string> own)
      : options_(std::move(options)), own_(std::move(own)) {}

  bool is_up() const { return client_ != nullptr; }
  int descriptor() const { return client_ ? client_->descriptor() : -1; }
  bool wants_write() const { return client_ && client_->wants_write(); }
  std::chrono::milliseconds pause() const;  // until work() is due

  // Reads, writes, connects when it is due. True: the connection is a new one.
  bool work(std::vector<MqttClient::Message>& messages);
  // Kept for new connections, granted or not; an error only if the broker refuses.
  Result<void> subscribe(const std::string& filter);
  Result<void> say(const std::string& topic, std::string_view payload);

 private:
  Result<void> connect();
  void lose(const std::string& why);

  MqttClient::Options options_;
  std::vector<std::string> own_;
  std::set<std::string> filters_;
  std::unique_ptr<MqttClient> client_;
  Clock::time_point due_{};
  std::chrono::milliseconds delay_{0};
  std::string fault_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace beaconry::sdk
