#pragma once
#include <cstdint>
#include <utility>

#include "control/edge_totals.h"
#include "control/seen_batches.h"
#include "uplink/flow_batch.h"

namespace beaconry {

// Numbers begin at 1: a thousand batches a second would take 34 years. What lies below the highest
// counts as seen, so that one absurd number would end its stream.
constexpr std::uint64_t kMostSequence = std::uint64_t{1} << 40;

inline BatchIdentity identity_of(const Envelope& envelope) {
  return {envelope.edge + '/' + envelope.incarnation, envelope.sequence, {}};
}

// What an edge's batch adds to its row.
inline EdgeLedger::Batch entry_of(const Envelope& envelope, FlowBatchContent&& content,
                                  Timestamp received) {
  EdgeLedger::Batch entry;
  entry.id = envelope.edge;
  entry.name = envelope.edge_name;
  entry.events = content.events;
  entry.received = received;
  entry.made = content.made;
  entry.clock_skew = envelope.sent - received;
  entry.batches_dropped = envelope.batches_dropped;
  entry.counters = std::move(content.counters);
  return entry;
}

}  // namespace beaconry
