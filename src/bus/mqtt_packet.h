#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace beaconry::mqtt {

// The packets of MQTT 3.1.1 (OASIS) that a client needs, as bytes. Pure. Texts are UTF-8 without
// U+0000 of at most 65,535 bytes: encoders of longer ones return an empty string.

struct Connect {
  std::string_view client_id, user, password;
  std::uint16_t keep_alive = 0;  // seconds
};
std::string encode_connect(const Connect& connect);  // a clean session
// `id` 0: QoS 0, else QoS 1.
std::string encode_publish(std::string_view topic, std::string_view payload, std::uint16_t id);
std::string encode_publish_taken(std::uint16_t id);                       // PUBACK
std::string encode_subscribe(std::string_view filter, std::uint16_t id);  // QoS 1
std::string encode_ping();
std::string encode_disconnect();

// What a broker says.
struct ConnectAnswer {
  std::uint8_t code = 0;  // 0: taken
};
struct Publish {
  std::string_view topic, payload;  // in the buffer
  std::uint16_t id = 0;             // 0: QoS 0
};
struct PublishTaken {
  std::uint16_t id = 0;
};
struct SubscribeAnswer {
  std::uint16_t id = 0;
  std::string_view codes;  // one byte a filter; 0x80: refused
};
struct PingAnswer {};
using FromBroker = std::variant<ConnectAnswer, Publish, PublishTaken, SubscribeAnswer, PingAnswer>;

struct Taken {
  FromBroker packet;
  std::size_t bytes = 0;  // of the buffer
};
// The first packet of `buffer`; empty: it is not all there yet. Errors: it breaks the protocol, is
// of QoS 2 (nobody asked for it), or is longer than `longest`, which shows before it is all there.
Result<std::optional<Taken>> take_packet(std::string_view buffer, std::size_t longest);

std::string_view refusal_in_words(std::uint8_t connect_code);

}  // namespace beaconry::mqtt
