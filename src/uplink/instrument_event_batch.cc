#include "uplink/instrument_event_batch.h"

#include <google/protobuf/arena.h>
#include <uplink.pb.h>  // generated

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "uplink/batch_counters.h"
#include "uplink/wire.h"
#include "uplink/zstd_frame.h"

namespace beaconry {
namespace {

constexpr int kLevel = 3;  // text: worth it

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "read", "batch", std::move(cause));
}

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_type_character(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
}

bool is_type(std::string_view text) {
  return !text.empty() && text.size() <= InstrumentEvent::kLongestType &&
         std::all_of(text.begin(), text.end(), is_type_character);
}

std::int64_t microseconds(Timestamp time) {
  return std::clamp(time, kEarliest, kLatest).time_since_epoch().count();
}

// At most so many bytes, of whole characters.
std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned>(text[most]) & 0xc0U) == 0x80U)
    --most;
  text.resize(most);
  return text;
}

std::string one_line(std::string_view text) {
  std::string line = utf8_valid(text);
  for (char& c : line) {
    if ((c >= 0 && c < 0x20) || c == 0x7f) c = ' ';
  }
  return cut(std::move(line), InstrumentEvent::kLongestMessage);
}

std::string type_of(std::string_view text) {
  std::string type(text.substr(0, InstrumentEvent::kLongestType));
  for (char& c : type) {
    if (!is_type_character(c)) c = '_';
  }
  return type.empty() ? "unknown" : type;
}

bool is_data(const std::string& text) {
  return text.size() <= InstrumentEvent::kLongestData &&
         json_depth(text) <= InstrumentEvent::kDeepestData && nlohmann::json::accept(text);
}

void put(const InstrumentEvent& event, uplink::InstrumentEvent& message) {
  message.set_instance(event.instance);
  message.set_uuid(event.uuid);
  if (is_event_uuid(event.context_uuid)) message.set_context_uuid(event.context_uuid);
  message.set_time_us(microseconds(event.time));
  message.set_type(type_of(event.type));
  message.set_message(one_line(event.message));
  message.set_data(is_data(event.data_json)
                       ? event.data_json
                       : "{\"left_out_bytes\": " + std::to_string(event.data_json.size()) + "}");
}

// What a batch holds, counted before objects are made of it.
Result<std::size_t> count_events(std::string_view plain, const InstrumentEventBatchLimits& limits) {
  constexpr std::size_t kMostOthers = 1024, kMostParts = 64;
  std::size_t events = 0, counters = 0, others = 0;
  uplink::WireReader reader(plain);
  uplink::WireField field;
  while (reader.next(field)) {
    if (field.number == uplink::InstrumentEventBatch::kEventsFieldNumber && field.type == 2) {
      if (++events > limits.most_events) return uplink::past("events", limits.most_events);
      if (!uplink::has_at_most(field.bytes, kMostParts)) {
        return uplink::past("fields of an event", kMostParts);
      }
    } else if (field.number == uplink::InstrumentEventBatch::kCountersFieldNumber) {
      if (++counters > uplink::kMostCounters) {
        return uplink::past("counters", uplink::kMostCounters);
      }
      if (!uplink::has_at_most(field.bytes, kMostParts)) {
        return uplink::past("fields of a counter", kMostParts);
      }
    } else if (++others > kMostOthers) {
      return uplink::past("other fields", kMostOthers);
    }
  }
  if (reader.malformed()) {
    return malformed("it is no beaconry.uplink.InstrumentEventBatch (proto/uplink.proto)");
  }
  return events;
}

// The cause of a refusal, or nothing.
const char* read(uplink::InstrumentEvent& message, InstrumentEvent& event) {
  if (!message.instance().empty() && !is_instance_name(message.instance())) {
    return "an event's instance is none such as beacon_0";
  }
  if (!is_event_uuid(message.uuid())) return "an event's uuid is none in lower case";
  if (!message.context_uuid().empty() && !is_event_uuid(message.context_uuid())) {
    return "an event's context_uuid is none in lower case";
  }
  event.time = Timestamp{Duration{message.time_us()}};
  if (event.time < kEarliest || event.time > kLatest) {
    return "an event's time_us is not in years 1970 to 2200";
  }
  if (!is_type(message.type())) {
    return "an event's type is empty, too long or more than letters, digits, '.', '_' and '-'";
  }
  if (message.message().size() > InstrumentEvent::kLongestMessage ||
      !uplink::is_plain_text(message.message())) {
    return "an event's message is too long or not plain text";
  }
  if (!message.data().empty() && !is_data(message.data())) {
    return "an event's data is too long, too deep or no JSON";
  }
  event.instance = std::move(*message.mutable_instance());
  event.uuid = std::move(*message.mutable_uuid());
  event.context_uuid = std::move(*message.mutable_context_uuid());
  event.type = std::move(*message.mutable_type());
  event.message = std::move(*message.mutable_message());
  if (!message.data().empty()) event.data_json = std::move(*message.mutable_data());
  return nullptr;
}

}  // namespace

bool is_event_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool is_instance_name(std::string_view text) {
  return !text.empty() && text.size() <= InstrumentEvent::kLongestInstance &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_lower_or_digit(c) || c == '-' || c == '_'; });
}

std::string encode_instrument_events(const InstrumentEventBatch& batch) {
  uplink::silence_protobuf();
  google::protobuf::Arena arena;
  auto& message = *google::protobuf::Arena::CreateMessage<uplink::InstrumentEventBatch>(&arena);
  std::string buffer;
  message.set_made_us(microseconds(batch.made));
  for (const InstrumentEvent& event : batch.events) {
    if (!is_event_uuid(event.uuid)) continue;
    if (!event.instance.empty() && !is_instance_name(event.instance)) continue;
    put(event, *message.add_events());
  }
  uplink::put_counters(batch.counters, *message.mutable_counters(), buffer);
  return uplink::compress(message.SerializeAsString(), kLevel);
}

Result<InstrumentEventBatch> decode_instrument_events(std::string_view content,
                                                      const InstrumentEventBatchLimits& limits) {
  uplink::silence_protobuf();
  const std::size_t most_bytes = std::min<std::size_t>(limits.most_bytes, INT32_MAX);
  const auto plain = uplink::decompress(content, most_bytes);
  if (!plain) return tl::unexpected<Error>(plain.error());
  const auto count = count_events(plain->view(), limits);
  if (!count) return tl::unexpected<Error>(count.error());

  google::protobuf::Arena arena;
  auto& message = *google::protobuf::Arena::CreateMessage<uplink::InstrumentEventBatch>(&arena);
  message.mutable_events()->Reserve(static_cast<int>(*count));
  if (!message.ParseFromArray(plain->bytes.get(), static_cast<int>(plain->size))) {
    return malformed("it is no beaconry.uplink.InstrumentEventBatch (proto/uplink.proto)");
  }
  InstrumentEventBatch batch;
  batch.made = Timestamp{Duration{message.made_us()}};
  if (batch.made < kEarliest || batch.made > kLatest) {
    return malformed("made_us is not in years 1970 to 2200");
  }
  if (const char* fault = uplink::find_counter_fault(message.counters())) return malformed(fault);
  batch.events.resize(static_cast<std::size_t>(message.events_size()));
  for (int i = 0; i < message.events_size(); ++i) {
    const char* fault = read(*message.mutable_events(i), batch.events[static_cast<std::size_t>(i)]);
    if (fault != nullptr) return malformed(fault);
  }
  batch.counters = uplink::take_counters(message.counters());
  return batch;
}

}  // namespace beaconry
