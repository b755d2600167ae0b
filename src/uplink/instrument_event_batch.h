#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "uplink/flow_batch.h"

namespace beaconry {

// An instrument's news on its way to the server's store and alert rules.
struct InstrumentEvent {
  std::string instance;      // beacon_0; empty: the sensor itself
  std::string uuid;          // RFC 9562, lower case: what makes it count once
  std::string context_uuid;  // of what it belongs to; may be empty
  Timestamp time{};
  std::string type;     // instruments.beacon.ev.alert: letters, digits, '.', '_', '-'
  std::string message;  // for people
  std::string data_json = "{}";

  static constexpr std::size_t kLongestInstance = 64, kLongestType = 128, kLongestMessage = 2048;
  static constexpr std::size_t kLongestData = 256 << 10, kDeepestData = 64;
  friend bool operator==(const InstrumentEvent&, const InstrumentEvent&) = default;
};

// Events as the content of an Envelope whose content_kind is `instrument_events`.
// proto/uplink.proto, docs/formats/uplink.md.
struct InstrumentEventBatch {
  Timestamp made{};
  std::vector<InstrumentEvent> events;
  std::vector<EdgeCounter> counters;  // the sensor's running totals
};

bool is_event_uuid(std::string_view text);     // 8-4-4-4-12 hex digits, lower case
bool is_instance_name(std::string_view text);  // a-z 0-9 - _
// What is out of range is brought into it: times to kEarliest or kLatest, texts cut, other
// characters of `type` to '_', a context that is no uuid to none; data that is no JSON, too deep or
// too long to {"left_out_bytes": N}. An event whose own uuid or instance is none is left out:
// refuse such where they come from.
std::string encode_instrument_events(const InstrumentEventBatch& batch);

struct InstrumentEventBatchLimits {
  std::size_t most_bytes = std::size_t{64} << 20;  // decompressed
  std::size_t most_events = 100'000;
};
// All or nothing: every text, its JSON and every time is checked.
Result<InstrumentEventBatch> decode_instrument_events(std::string_view content,
                                                      const InstrumentEventBatchLimits& limits);

}  // namespace beaconry
