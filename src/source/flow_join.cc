#include "source/flow_join.h"

namespace beaconry {

bool OpenFlows::add(std::uint64_t id, const FlowEvent& event) {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(id);
  if (found != rows_.end()) {
    if (event.duration >= found->second.event.duration) found->second.event = event;
    return true;
  }
  constexpr std::uint64_t kRowBytes = 2 * sizeof(Row) + 64;
  if (memory_ + kRowBytes > memory_limit_) return false;
  memory_ += kRowBytes;
  rows_.emplace(id, Row{event, std::string(event.id)});
  count_.store(rows_.size(), std::memory_order_relaxed);
  return true;
}

void OpenFlows::finished(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  rows_.erase(id);
}

std::uint64_t OpenFlows::flush(const FlowNames& names, FlowSink& sink) {
  const std::lock_guard lock(mutex_);
  for (auto& [id, row] : rows_) {
    FlowEvent event = row.event;
    const auto known = names.find(id);
    event.id = row.id;
    event.name_kind = known.kind;
    event.server_name = known.name;
    subtract_bursts(known, event);
    sink.add(event);
  }
  const std::uint64_t count = rows_.size();
  rows_.clear();
  count_.store(0, std::memory_order_relaxed);
  return count;
}

}  // namespace beaconry
