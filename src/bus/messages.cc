#include "bus/messages.h"

#include <sys/random.h>

#include <nlohmann/json.hpp>

#include "bus/json_fields.h"
#include "bus/message_parts.h"

namespace beaconry {
namespace {

using nlohmann::json;
using Need = JsonFields::Need;

const std::vector<std::string_view> kConfigStates{"UNSET", "APPLYING", "APPLIED", "FAILED"};
const std::vector<std::string_view> kDirectKinds{"message", "request", "reply"};

}  // namespace

json to_json(const Event& event) {
  json out{{"uuid", event.uuid},
           {"timestamp", to_rfc3339(event.timestamp)},
           {"type", event.type},
           {"message", event.message},
           {"data", json_or_text(event.data_json)}};
  if (!event.context_uuid.empty()) out["context_uuid"] = event.context_uuid;
  return out;
}

Event event_of(JsonFields& fields) {
  Event event;
  event.uuid = fields.uuid("uuid");
  event.context_uuid = fields.uuid("context_uuid", Need::optional);
  event.timestamp = fields.time("timestamp");
  event.type = fields.word("type");
  event.message = fields.text("message", bounds::kText);
  event.data_json = fields.json_object("data", bounds::kData);
  return event;
}

std::string encode(const Event& event) {
  return json_text(to_json(event));
}

Result<Event> decode_event(std::string_view text) {
  auto value = parse_json(text, bounds::kMessage);
  if (!value) return tl::unexpected<Error>(std::move(value.error()));
  JsonFields fields(*value, "event");
  Event event = event_of(fields);
  if (!fields.is_good()) return tl::unexpected<Error>(fields.error());
  return event;
}

std::string encode(const DirectMessage& message) {
  json out{{"kind", kDirectKinds[static_cast<std::size_t>(message.kind)]},
           {"uuid", message.uuid},
           {"body", json_or_text(message.body_json)}};
  if (!message.context_uuid.empty()) out["context_uuid"] = message.context_uuid;
  return json_text(out);
}

Result<DirectMessage> decode_direct(std::string_view text) {
  auto value = parse_json(text, bounds::kMessage);
  if (!value) return tl::unexpected<Error>(std::move(value.error()));
  JsonFields fields(*value, "message");
  DirectMessage message;
  message.kind = static_cast<DirectMessage::Kind>(fields.one_of("kind", kDirectKinds));
  message.uuid = fields.uuid("uuid");
  message.context_uuid = fields.uuid(
      "context_uuid", message.kind == DirectMessage::Kind::reply ? Need::required : Need::optional);
  message.body_json = fields.json_value("body", bounds::kBody);
  if (!fields.is_good()) return tl::unexpected<Error>(fields.error());
  return message;
}

std::string_view to_string(ConfigState state) {
  return kConfigStates[static_cast<std::size_t>(state)];
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      if (c != '-') return false;
    } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
      return false;
    }
  }
  return true;
}

std::string make_uuid() {
  unsigned char bytes[16];
  // Up to 256 bytes come whole or not at all, once the machine has entropy.
  while (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
  }
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);  // version 4
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);  // RFC 9562
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t at = 0; at < sizeof bytes; ++at) {
    if (at == 4 || at == 6 || at == 8 || at == 10) text += '-';
    text += kDigits[bytes[at] >> 4];
    text += kDigits[bytes[at] & 0xf];
  }
  return text;
}

}  // namespace beaconry
