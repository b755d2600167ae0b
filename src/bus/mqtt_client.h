#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace beaconry {

// One client's connection to the bus: MQTT 3.1.1 (OASIS) over a Unix socket, QoS 0 and 1, clean
// sessions. Our own because Debian has no static MQTT library and instruments are static programs.
// One thread; after connect() nothing blocks: poll descriptor(), then work().
class MqttClient {
 public:
  // Of a message of 512 KiB with its topic.
  static constexpr std::size_t kLongestPacket = (512 << 10) + 4096;
  struct Options {
    std::string socket;  // path
    std::string client_id, user, password;
    std::chrono::seconds keep_alive{30};
    std::chrono::seconds patience{5};             // for connect() and subscribe()
    std::size_t longest_packet = kLongestPacket;  // longer ones end the connection
    std::size_t most_waiting = 4 << 20;           // bytes not yet written: publish() then refuses
  };
  struct Message {
    std::string topic, payload;
  };
  // The broker took name and password. Errors: the socket's, or what the broker said.
  static Result<std::unique_ptr<MqttClient>> connect(const Options& options);
  // Waits for nothing: what is published at once goes behind name and password, and work() tells
  // whether the broker took them.
  static Result<std::unique_ptr<MqttClient>> begin(const Options& options);
  virtual ~MqttClient() = default;

  virtual int descriptor() const = 0;
  virtual bool wants_write() const = 0;  // poll for POLLOUT too
  // Reads, writes, keeps alive. The messages that came are in `messages` (appended). An error: the
  // connection is gone; make another.
  virtual Result<void> work(std::vector<Message>& messages) = 0;
  // How long poll() may wait until work() is due for the keep-alive.
  virtual std::chrono::milliseconds pause() const = 0;

  // Waits for the broker's answer; what it does not grant is an error. Messages that come meanwhile
  // are kept for work().
  virtual Result<void> subscribe(const std::string& filter) = 0;
  // QoS 1 unless `once_at_most`. Queued and written as far as the socket takes it; ErrorKind::limit
  // past most_waiting. A broker that does not allow the topic drops it without a word (MQTT 3.1.1).
  virtual Result<void> publish(const std::string& topic, std::string_view payload,
                               bool once_at_most = false) = 0;
  virtual std::size_t unacknowledged() const = 0;  // QoS 1 messages that the broker has not taken
};

}  // namespace beaconry
