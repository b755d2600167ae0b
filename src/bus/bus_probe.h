#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "bus/mqtt_client.h"

namespace beaconry {

// Whether a broker that runs still does its work: every now and then a client like an instrument's
// comes anew and says a word, which the platform must hear. A broker whose memory one that does not
// read has filled goes on taking clients, and passes nothing on for as long as that one stays. One
// thread; nothing blocks.
class BusProbe {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    std::string socket, user, password;  // its account, which may publish on `topic`
    std::string topic;
    std::chrono::milliseconds every{5000}, patience{15000};
  };
  BusProbe(Options options, Clock::time_point now);

  void heard(const std::string& payload, Clock::time_point now);  // what came on `topic`
  // After what has come was heard. False: it is not heard in time.
  bool work(Clock::time_point now);

 private:
  void say(Clock::time_point now);

  Options options_;
  std::unique_ptr<MqttClient> client_;
  std::vector<MqttClient::Message> ignored_;
  std::string word_;  // empty: none is awaited
  Clock::time_point next_, said_{}, last_;
  Clock::duration waited_{};
};

}  // namespace beaconry
