// What edges send: an envelope, and a batch's content as it is and inside its compression, which
// random bytes would hardly get through.
#include <zstd.h>

#include <cstdint>
#include <cstdlib>

#include "uplink/flow_batch.h"

namespace beaconry {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Aborts on an event that breaks the contract of flow_event.h, and builds the batch anew.
class JudgingSink final : public FlowSink {
 public:
  void add(const FlowEvent& event) override {
    require(is_time(event.time) && event.duration >= Duration{0});
    require(event.kind <= FlowEventKind::close && event.name_kind <= NameKind::connect_target);
    require(event.server_name.empty() == (event.name_kind == NameKind::none));
    require(event.server_name.size() <= 255 && event.id.size() <= 255);
    again.add(event);
    ++events;
  }
  void add_host_name(const IpAddress& host, std::string_view name, Timestamp time) override {
    require(is_time(time) && !name.empty() && name.size() <= 255);
    again.add_host_name(host, name, time);
  }
  void add_address_name(const IpAddress& address, std::string_view name, Timestamp time) override {
    require(is_time(time) && !name.empty() && name.size() <= 255);
    again.add_address_name(address, name, time);
  }

  FlowBatchBuilder again;
  std::uint64_t events = 0;

 private:
  static bool is_time(Timestamp time) { return time >= kEarliest && time <= kLatest; }
};

void decode(std::string_view content) {
  FlowBatchLimits limits;
  limits.most_bytes = 1 << 20;
  limits.most_events = 10'000;
  JudgingSink sink;
  const auto got = decode_flow_batch(content, limits, sink);
  if (!got) {
    require(sink.events == 0);
    return;
  }
  require(got->events == sink.events && sink.events <= limits.most_events);
  const std::string rebuilt = sink.again.finish(got->made, got->counters);
  JudgingSink second;
  require(decode_flow_batch(rebuilt, {}, second).has_value() && second.events == sink.events);
}

}  // namespace
}  // namespace beaconry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto envelope = decode_envelope(bytes)) {
    const auto back = decode_envelope(encode_envelope(*envelope));
    require(back && back->content == envelope->content && back->sequence == envelope->sequence);
    decode(envelope->content);
  }
  decode(bytes);
  std::string packed(ZSTD_compressBound(size), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), data, size, 1));
  decode(packed);
  return 0;
}
