#pragma once
#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <mutex>
#include <string>

#include "flow/flow_event.h"
#include "source/flow_names.h"

namespace beaconry {

// Flows that Zeek reported while they ran (open_conn, conn_long). Each counts once: by its longest
// row, and not at all if the log of finished flows has it, too. Any thread may call.
class OpenFlows {
 public:
  explicit OpenFlows(std::uint64_t memory_limit) : memory_limit_(memory_limit) {}

  // False if the memory limit forbids to keep it.
  bool add(std::uint64_t id, const FlowEvent& event);
  void finished(std::uint64_t id);
  bool empty() const { return count_.load(std::memory_order_relaxed) == 0; }
  // Hands what is left to `sink`, with the names that `names` knows; returns how many.
  std::uint64_t flush(const FlowNames& names, FlowSink& sink);

 private:
  struct Row {
    FlowEvent event;
    std::string id;
  };
  std::mutex mutex_;
  absl::flat_hash_map<std::uint64_t, Row> rows_;
  std::atomic<std::uint64_t> count_{0};
  std::uint64_t memory_limit_, memory_ = 0;
};

// What the readers of all log files of one run share.
struct FlowJoin {
  FlowJoin(Duration burst_gap, std::uint64_t memory_limit)
      : names(burst_gap, memory_limit / 2), open(memory_limit / 4) {}
  FlowNames names;
  OpenFlows open;
  // No log of flows is among the inputs: rows of the other logs stand for the flows.
  bool standalone = false;
  // Rows of flows that go on are told at once, as `alive`: their final rows will come.
  bool live = false;
};

}  // namespace beaconry
