#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/packet_event.h"

namespace beaconry {

struct PredecessorLimits {
  std::size_t most_bytes = std::size_t{64} << 20;  // of JSON, decompressed
  std::size_t most_events = 1'000'000;
};

// A batch as the predecessor's data plane posts it to /api/v1/telemetry.
struct PredecessorBatch {
  std::string batch_id;          // as text, also where it was a number; may be empty
  std::string node_id;           // may be empty
  bool batch_id_is_text = true;  // for the answer
  std::vector<PacketEvent> events;

  // Single events that are none: skipped and counted.
  std::uint64_t invalid_events = 0;
  std::string first_invalid;  // "events[12]: src_ip '300.1.1.1' is not an address"

  // From data_plane_stats; the sender's running totals or of this batch alone: it does not say.
  std::uint64_t dropped_ebpf = 0, dropped_overflow = 0;

  // Stays the same when the batch is sent again, however it is written or compressed. Senders that
  // count their batches from 1 at every start repeat ids, but not these.
  std::array<std::uint64_t, 2> digest() const;
};

// Takes the JSON apart in place: `json` is overwritten. The whole batch is refused, with the byte
// where it broke, if it is not JSON or not a batch.
Result<PredecessorBatch> decode_predecessor_batch(std::string& json,
                                                  const PredecessorLimits& limits);

// Undoes gzip (RFC 1952, all members) up to `most_bytes` of output.
Result<std::string> gunzip(std::string_view bytes, std::size_t most_bytes);

}  // namespace beaconry
