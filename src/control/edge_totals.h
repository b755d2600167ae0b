#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/time.h"
#include "uplink/flow_batch.h"

namespace beaconry {

// What came from one edge, since the journal's beginning or the start, whichever was earlier.
struct EdgeTotals {
  std::string id;    // fingerprint; a predecessor's: its node_id
  std::string name;  // for people
  bool predecessor = false;
  std::uint64_t events = 0, batches = 0, duplicates = 0, refused = 0, invalid_events = 0;
  std::uint64_t batches_dropped = 0;  // by its spool, ever
  Timestamp last_batch{};             // by our clock
  Duration clock_skew{0};             // its clock less ours, at the last batch; with its way to us
  std::vector<EdgeCounter> counters;  // as it last told them
  std::uint64_t dropped_ebpf = 0, dropped_overflow = 0;
};

// Counts of all edges, bounded: past kMostEdges the one unheard longest goes. Any thread.
class EdgeLedger {
 public:
  static constexpr std::size_t kMostEdges = 4096;
  static constexpr std::size_t kMostCounters = 256;  // kept of an edge: whoever sends names them

  struct Batch {
    std::string id, name;
    bool predecessor = false;
    std::uint64_t events = 0, invalid_events = 0;
    Timestamp received{};
    Timestamp made{};  // by the edge: all that it had taken is in this batch or in earlier ones
    Duration clock_skew{0};
    std::uint64_t batches_dropped = 0;
    std::vector<EdgeCounter> counters;
    // A predecessor's running totals: told again with each batch, from 0 on when it restarts.
    std::uint64_t dropped_ebpf = 0, dropped_overflow = 0;
  };
  void accepted(const Batch& batch);
  void duplicate(const std::string& id);
  void refused(const std::string& id);  // an unknown id is not kept: anybody could send one

  struct Sums {
    std::uint64_t events = 0, batches = 0, duplicates = 0, refused = 0, invalid_events = 0;
    std::uint64_t dropped_ebpf = 0;      // by the kernels' event rings and sockets
    std::uint64_t dropped_overflow = 0;  // by the edges' own buffers: flow tables, spools
  };
  Sums sums() const;
  std::vector<EdgeTotals> edges() const;

 private:
  struct Row {
    EdgeTotals totals;
    std::array<std::uint64_t, 2> told{};  // dropped_ebpf and dropped_overflow as last told
  };
  mutable std::mutex mutex_;
  std::map<std::string, Row> rows_;
  Sums sums_;  // of all that is counted here: what an edge that went had counts on
};

}  // namespace beaconry
