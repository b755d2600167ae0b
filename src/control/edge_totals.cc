#include "control/edge_totals.h"

#include <algorithm>

namespace beaconry {
namespace {

// What a running total has grown by. One that fell began anew.
std::uint64_t growth(std::uint64_t before, std::uint64_t now) {
  return now >= before ? now - before : now;
}

bool is_kernel_drop(const std::string& name) {
  return name == "ring_drops" || name == "kernel_drops";
}
bool is_overflow(const std::string& name) {
  return name == "table_full" || name == "buffer_overflow" || name == "events_lost";
}

}  // namespace

void EdgeLedger::accepted(const Batch& batch) {
  const std::lock_guard lock(mutex_);
  if (rows_.size() >= kMostEdges && rows_.find(batch.id) == rows_.end()) {
    rows_.erase(std::min_element(rows_.begin(), rows_.end(), [](const auto& x, const auto& y) {
      return x.second.totals.last_batch < y.second.totals.last_batch;
    }));
  }
  Row& row = rows_[batch.id];
  EdgeTotals& edge = row.totals;
  edge.id = batch.id;
  edge.name = batch.name;
  edge.predecessor = batch.predecessor;
  edge.events += batch.events;
  ++edge.batches;
  edge.invalid_events += batch.invalid_events;
  edge.last_batch = std::max(edge.last_batch, batch.received);
  edge.clock_skew = batch.clock_skew;

  std::array<std::uint64_t, 2> now{batch.dropped_ebpf, batch.dropped_overflow};
  if (!batch.predecessor) {
    now[1] += batch.batches_dropped;
    for (const EdgeCounter& counter : batch.counters) {
      if (is_kernel_drop(counter.name)) now[0] += counter.value;
      if (is_overflow(counter.name)) now[1] += counter.value;
    }
    edge.batches_dropped = batch.batches_dropped;
    edge.counters = batch.counters;
    if (edge.counters.size() > kMostCounters) edge.counters.resize(kMostCounters);
  }
  const std::uint64_t ebpf = growth(row.told[0], now[0]), overflow = growth(row.told[1], now[1]);
  row.told = now;
  edge.dropped_ebpf += ebpf;
  edge.dropped_overflow += overflow;

  sums_.events += batch.events;
  ++sums_.batches;
  sums_.invalid_events += batch.invalid_events;
  sums_.dropped_ebpf += ebpf;
  sums_.dropped_overflow += overflow;
}

void EdgeLedger::duplicate(const std::string& id) {
  const std::lock_guard lock(mutex_);
  ++sums_.duplicates;
  if (const auto row = rows_.find(id); row != rows_.end()) ++row->second.totals.duplicates;
}

void EdgeLedger::refused(const std::string& id) {
  const std::lock_guard lock(mutex_);
  ++sums_.refused;
  if (const auto row = rows_.find(id); row != rows_.end()) ++row->second.totals.refused;
}

EdgeLedger::Sums EdgeLedger::sums() const {
  const std::lock_guard lock(mutex_);
  return sums_;
}

std::vector<EdgeTotals> EdgeLedger::edges() const {
  const std::lock_guard lock(mutex_);
  std::vector<EdgeTotals> all;
  for (const auto& [id, row] : rows_)
    all.push_back(row.totals);
  return all;
}

}  // namespace beaconry
