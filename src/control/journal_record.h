#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "uplink/flow_batch.h"

namespace beaconry {

// One accepted batch as the ingest journal keeps it: an edge's envelope as it came, or what was
// made of a predecessor's batch. docs/formats/journal.md describes the bytes.
struct PredecessorRecord {
  std::string batch_id, node_id;
  std::array<std::uint64_t, 2> digest{};  // PredecessorBatch::digest()
  std::uint64_t events = 0, invalid_events = 0;
  std::uint64_t dropped_ebpf = 0, dropped_overflow = 0;
  std::string content;  // the mapped flow events, as FlowBatchBuilder made them
};

std::string journal_record(std::string_view envelope);  // its bytes
std::string journal_record(const PredecessorRecord& record);

Result<std::variant<Envelope, PredecessorRecord>> read_journal_record(std::string_view bytes);

}  // namespace beaconry
