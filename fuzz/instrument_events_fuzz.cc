// What sensors send of their instruments: a batch's content as it is, and inside its compression.
#include <zstd.h>

#include <cstdint>
#include <cstdlib>

#include "uplink/instrument_event_batch.h"

namespace beaconry {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void decode(std::string_view content) {
  InstrumentEventBatchLimits limits;
  limits.most_bytes = 1 << 20;
  limits.most_events = 1000;
  const auto got = decode_instrument_events(content, limits);
  if (!got) return;
  require(got->events.size() <= limits.most_events);
  for (const InstrumentEvent& event : got->events) {
    require(event.time >= kEarliest && event.time <= kLatest);
    require(is_event_uuid(event.uuid) && !event.type.empty() && !event.data_json.empty());
  }
  const auto again = decode_instrument_events(encode_instrument_events(*got), {});
  require(again && again->events == got->events);
  require(again->counters.size() == got->counters.size());
}

}  // namespace
}  // namespace beaconry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  decode(bytes);
  std::string packed(ZSTD_compressBound(size), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), data, size, 1));
  decode(packed);
  return 0;
}
