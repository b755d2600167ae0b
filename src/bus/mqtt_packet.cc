#include "bus/mqtt_packet.h"

#include "base/text.h"

namespace beaconry::mqtt {
namespace {

constexpr std::size_t kLongestText = 0xffff;
constexpr std::size_t kLongestBody = 268'435'455;  // four bytes of seven bits

enum Type : unsigned {
  kConnect = 1,
  kConnectAnswer = 2,
  kPublish = 3,
  kPublishTaken = 4,
  kSubscribe = 8,
  kSubscribeAnswer = 9,
  kPing = 12,
  kPingAnswer = 13,
  kDisconnect = 14
};

void put16(std::string& to, std::size_t value) {
  to += static_cast<char>(value >> 8);
  to += static_cast<char>(value & 0xff);
}

void put_text(std::string& to, std::string_view text) {
  put16(to, text.size());
  to += text;
}

std::string packet(unsigned type, unsigned flags, std::string_view body) {
  if (body.size() > kLongestBody) return {};
  std::string out(1, static_cast<char>(type << 4 | flags));
  std::size_t left = body.size();
  do {
    const std::size_t low = left & 0x7f;
    left >>= 7;
    out += static_cast<char>(left > 0 ? low | 0x80 : low);
  } while (left > 0);
  out += body;
  return out;
}

std::uint8_t byte(char c) {
  return static_cast<std::uint8_t>(c);
}

std::uint16_t get16(std::string_view bytes) {
  return static_cast<std::uint16_t>(byte(bytes[0]) << 8 | byte(bytes[1]));
}

tl::unexpected<Error> breach(std::string cause) {
  return fail(ErrorKind::malformed, "read", "the broker's packet", std::move(cause));
}

// MQTT 3.1.1 §1.5.3: well formed UTF-8 without U+0000.
bool is_text(std::string_view text) {
  while (!text.empty()) {
    std::uint32_t character = 0;
    const std::size_t length = utf8_length(text, character);
    if (length == 0 || character == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

Result<FromBroker> parse_publish(unsigned flags, std::string_view body) {
  const unsigned quality = flags >> 1 & 3;
  if (quality > 1) return breach("a message of QoS 2, which was not asked for");
  if (body.size() < 2) return breach("a message without a topic");
  Publish publish;
  const std::size_t length = get16(body);
  body.remove_prefix(2);
  if (length == 0 || length > body.size()) return breach("a topic of a wrong length");
  publish.topic = body.substr(0, length);
  if (!is_text(publish.topic)) return breach("a topic that is no text");
  if (publish.topic.find_first_of("+#") != std::string_view::npos) {
    return breach("a message to a topic with wildcards");
  }
  body.remove_prefix(length);
  if (quality == 1) {
    if (body.size() < 2) return breach("a message without its number");
    publish.id = get16(body);
    if (publish.id == 0) return breach("a message with number 0");
    body.remove_prefix(2);
  }
  publish.payload = body;
  return publish;
}

Result<FromBroker> parse_body(unsigned type, unsigned flags, std::string_view body) {
  if (type == kPublish) return parse_publish(flags, body);
  if (flags != 0) return breach("reserved flags are set");
  switch (type) {
    case kConnectAnswer:
      if (body.size() != 2 || byte(body[0]) > 1) return breach("a CONNACK that is none");
      return ConnectAnswer{byte(body[1])};
    case kPublishTaken:
      if (body.size() != 2 || get16(body) == 0) return breach("a PUBACK that is none");
      return PublishTaken{get16(body)};
    case kSubscribeAnswer:
      if (body.size() < 3 || get16(body) == 0) return breach("a SUBACK that is none");
      return SubscribeAnswer{get16(body), body.substr(2)};
    case kPingAnswer:
      if (!body.empty()) return breach("a PINGRESP that is none");
      return PingAnswer{};
    default:
      return breach("type " + std::to_string(type) + ", which no broker sends to us");
  }
}

}  // namespace

std::string encode_connect(const Connect& connect) {
  if (connect.client_id.size() > kLongestText || connect.user.size() > kLongestText ||
      connect.password.size() > kLongestText) {
    return {};
  }
  constexpr char kUser = static_cast<char>(0x80), kPassword = 0x40, kCleanSession = 0x02;
  std::string body;
  put_text(body, "MQTT");
  body += '\x04';  // 3.1.1
  body += static_cast<char>(kUser | kPassword | kCleanSession);
  put16(body, connect.keep_alive);
  put_text(body, connect.client_id);
  put_text(body, connect.user);
  put_text(body, connect.password);
  return packet(kConnect, 0, body);
}

std::string encode_publish(std::string_view topic, std::string_view payload, std::uint16_t id) {
  if (topic.size() > kLongestText) return {};
  std::string body;
  body.reserve(topic.size() + payload.size() + 4);
  put_text(body, topic);
  if (id != 0) put16(body, id);
  body += payload;
  return packet(kPublish, id != 0 ? 1U << 1 : 0, body);
}

std::string encode_publish_taken(std::uint16_t id) {
  std::string body;
  put16(body, id);
  return packet(kPublishTaken, 0, body);
}

std::string encode_subscribe(std::string_view filter, std::uint16_t id) {
  if (filter.size() > kLongestText) return {};
  std::string body;
  put16(body, id);
  put_text(body, filter);
  body += '\x01';  // QoS 1
  return packet(kSubscribe, 2, body);
}

std::string encode_ping() {
  return packet(kPing, 0, {});
}

std::string encode_disconnect() {
  return packet(kDisconnect, 0, {});
}

Result<std::optional<Taken>> take_packet(std::string_view buffer, std::size_t longest) {
  if (buffer.empty()) return std::nullopt;
  std::size_t length = 0, at = 1;
  for (unsigned shift = 0;; shift += 7) {
    if (shift > 21) return breach("a length of more than four bytes");
    if (at == buffer.size()) return std::nullopt;
    const std::uint8_t next = byte(buffer[at++]);
    length |= static_cast<std::size_t>(next & 0x7f) << shift;
    if ((next & 0x80) == 0) break;
  }
  if (length > longest) {
    return fail(ErrorKind::limit, "read", "the broker's packet",
                std::to_string(length) + " bytes; the most is " + std::to_string(longest));
  }
  if (buffer.size() - at < length) return std::nullopt;
  auto packet = parse_body(byte(buffer[0]) >> 4, byte(buffer[0]) & 0xf, buffer.substr(at, length));
  if (!packet) return tl::unexpected<Error>(std::move(packet.error()));
  return Taken{*packet, at + length};
}

std::string_view refusal_in_words(std::uint8_t connect_code) {
  switch (connect_code) {
    case 1:
      return "it does not speak MQTT 3.1.1";
    case 2:
      return "it does not take the client's name";
    case 3:
      return "it is not available";
    case 4:
      return "it does not know the user or the password is another";
    case 5:
      return "it does not allow this user";
    default:
      return "it refused for a reason that MQTT 3.1.1 does not have";
  }
}

}  // namespace beaconry::mqtt
