// Whatever is posted as a predecessor's batch is refused with a place, or becomes flow events that
// keep their contract.
#include "control/packet_flows.h"
#include "control/predecessor_batch.h"
#include "fuzz_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  if (size == 0) return 0;
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'z') {
    auto plain = gunzip(text, 1 << 20);
    if (!plain) return 0;
    text = std::move(*plain);
  }
  auto batch = decode_predecessor_batch(text, {1 << 20, 4096});
  if (!batch) {
    if (batch.error().cause.empty()) std::abort();
    return 0;
  }
  PacketFlows::Options options;
  options.most_flows = 64;
  PacketFlows flows(options);
  JudgingSink sink;
  flows.add(batch->node_id, batch->events, sink);
  if (flows.flows() > options.most_flows) std::abort();
  return 0;
}
