#pragma once
#include <absl/container/flat_hash_map.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "flow/flow_event.h"

namespace beaconry {

// What the logs beside the flow log (ssl, http, dns) say of a flow, joined by its id: a Zeek uid
// or a Suricata flow_id. Ids are kept as 64-bit hashes: of a hundred million flows a pair collides
// with a chance of 1 in 4,000. Any thread may call.
class FlowNames {
 public:
  FlowNames(Duration burst_gap, std::uint64_t memory_limit)
      : burst_gap_(burst_gap), memory_limit_(memory_limit) {}

  struct Known {
    NameKind kind = NameKind::none;
    std::string_view name;  // lives as long as the table
    std::uint64_t burst_out = 0, burst_in = 0;
  };
  // What a row added to what was known of its flow.
  enum class Learnt : std::uint8_t {
    first,     // the flow was not known
    same,      // nothing that counts
    activity,  // it comes a burst gap after the row before it or names another server
    full,      // the memory limit forbids to keep it
  };

  // The kind that says most of where a flow goes wins; among equals the first to come.
  Learnt learn(std::uint64_t id, NameKind kind, std::string_view name, Timestamp time);
  // A burst was reported with these bytes (each may be unknown), which the flow's own total must
  // no longer hold.
  void count_burst(std::uint64_t id, std::uint64_t bytes_out, std::uint64_t bytes_in);

  Known find(std::uint64_t id) const;

  // For logs that are followed for months. One thread, while no other calls; names that find() gave
  // before are gone after shrink().
  struct Saved {
    std::uint64_t id = 0;
    Timestamp time{};
    NameKind kind = NameKind::none;
    std::string_view name;
    std::uint64_t burst_out = 0, burst_in = 0;
  };
  void forget(std::uint64_t id);  // the flow is over
  // Gives up texts that no flow has any more, then the flows heard of longest ago, until at most
  // `memory` is held; returns how many flows.
  std::uint64_t shrink(std::uint64_t memory);
  std::vector<Saved> save() const;  // in order of id
  bool restore(const Saved& flow);  // false if the memory limit forbids it
  std::uint64_t memory() const { return memory_.load(std::memory_order_relaxed); }

  bool empty() const { return entries_.load(std::memory_order_relaxed) == 0; }

  // The same in every process: what save() gave is restored by another.
  static std::uint64_t hash(std::string_view id);

 private:
  // A map of many: 24 bytes a flow.
  struct Entry {
    std::int64_t last_time = 0;  // of the latest row, microseconds
    std::uint32_t name = 0;      // index into names_; 0 is no name
    NameKind kind = NameKind::none;
  };
  struct Bytes {
    std::uint64_t out = 0, in = 0;
  };
  struct Shard {
    mutable std::mutex mutex;
    absl::flat_hash_map<std::uint64_t, Entry> entries;
    absl::flat_hash_map<std::uint64_t, Bytes> bursts;
  };
  static constexpr std::size_t kShards = 32;

  std::uint32_t intern(std::string_view name);
  std::string_view name_at(std::uint32_t index) const;
  Shard& shard(std::uint64_t id) { return shards_[id >> 59]; }
  const Shard& shard(std::uint64_t id) const { return shards_[id >> 59]; }
  bool reserve(std::uint64_t bytes);

  Duration burst_gap_;
  std::uint64_t memory_limit_;
  std::array<Shard, kShards> shards_;
  std::atomic<std::uint64_t> entries_{0}, memory_{0};
  mutable std::mutex names_mutex_;
  std::deque<std::string> names_{std::string()};
  absl::flat_hash_map<std::string_view, std::uint32_t> name_index_;
};

// Takes the bytes that bursts already reported out of a whole flow's totals, so that the bytes of
// all its events still add up to them.
void subtract_bursts(const FlowNames::Known& known, FlowEvent& flow);

}  // namespace beaconry
