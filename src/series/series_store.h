#pragma once
#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/hash_index.h"
#include "flow/flow_event.h"
#include "series/check_in.h"
#include "series/check_in_log.h"
#include "series/name_table.h"
#include "series/sample_store.h"

namespace beaconry {

// A leg is what one pair does under one server name (or none): the smallest thing that is stored.
// An address pair is all legs of its key; a named pair is all legs of a source, name, port and
// protocol. So each check-in is stored once and found under both.
struct Leg {
  PairKey pair;
  NameTable::Id name = 0;
  NameKind name_kind = NameKind::none;
  std::uint32_t check_ins = 0;  // stored, before those of other legs are gathered in
  CheckInLog::Chain chain;      // all but the last
  CheckIn last;                 // the last, which may still grow
  SampleStore::Ids samples{};
  Timestamp samples_before = Timestamp::max();  // later ids are not among the first five
  std::uint64_t connections = 0;
};

// Stores the check-ins of every pair. It is a FlowSink: a source writes into it. Events may come
// in any order. Memory is bounded: past the limit the least interesting legs go, and are counted.
// Not thread-safe: one store a thread, merged by absorb().
class SeriesStore : public FlowSink {
 public:
  using LegId = std::uint32_t;

  struct Options {
    Duration burst_gap = std::chrono::seconds{1};  // activities closer than this are one check-in
    std::size_t memory_limit = std::size_t{2} << 30;
  };

  explicit SeriesStore(const Options& options);
  SeriesStore(const SeriesStore&) = delete;  // large, and nobody needs two
  SeriesStore& operator=(const SeriesStore&) = delete;

  // Events wait in a short queue while the memory they need is fetched. Before anything is read of
  // the store, settle() must have been called.
  void add(const FlowEvent& event) override;
  void settle() override;
  void add_host_name(const IpAddress& host, std::string_view name, Timestamp time) override;
  void add_address_name(const IpAddress& address, std::string_view name, Timestamp time) override;

  void set_memory_limit(std::size_t bytes) { options_.memory_limit = bytes; }

  // Takes all that another store with the same options holds.
  void absorb(const SeriesStore& other);

  std::span<const Leg> legs() const { return legs_; }
  std::string_view name(NameTable::Id id) const { return names_.name(id); }
  std::string_view host_name(const IpAddress& host) const { return name_of(host_names_, host); }
  std::string_view address_name(const IpAddress& address) const {
    return name_of(address_names_, address);
  }
  const SampleStore& samples() const { return samples_; }

  // The check-ins of several legs together: in time order, those closer than the burst gap
  // gathered, exact repeats (a log given twice) left out. Replaces `out`.
  void collect(std::span<const LegId> legs, std::vector<CheckIn>& out) const;

  Timestamp oldest() const { return oldest_; }  // of all events; the epoch while there are none
  Timestamp newest() const { return newest_; }
  std::uint64_t repeats_dropped() const { return repeats_dropped_; }
  std::uint64_t legs_evicted() const { return legs_evicted_; }
  std::uint64_t check_ins_evicted() const { return check_ins_evicted_; }
  std::uint64_t check_ins() const { return check_ins_; }
  std::size_t memory_bytes() const;

 private:
  struct DatedName {
    NameTable::Id name;
    Timestamp time;
  };
  // An event on its way into the store.
  struct Waiting {
    PairKey pair;
    std::uint32_t hash;
    NameTable::Id name;
    NameKind name_kind;
    bool inside_flow;
    std::uint8_t id_length;
    std::array<char, SampleStore::kLongestId> id;
    Timestamp time;
    std::uint64_t bytes_out, bytes_in;
  };
  static constexpr std::size_t kQueue = 16;  // events; long enough to hide a cache miss or two
  using NameMap = absl::flat_hash_map<IpAddress, DatedName>;

  Leg& leg_of(const PairKey& pair, std::uint32_t hash, NameTable::Id name, NameKind kind);
  void fetch_leg(const Waiting& event) const;
  void fetch_log(const Waiting& event) const;
  void store(const Waiting& event);
  void put(Leg& leg, const CheckIn& check_in);
  void put_name(NameMap& map, const IpAddress& address, std::string_view name, Timestamp time);
  std::string_view name_of(const NameMap& map, const IpAddress& address) const;
  void evict_least_interesting();

  Options options_;
  NameTable names_;
  CheckInLog log_;
  SampleStore samples_;
  std::vector<Leg> legs_;
  HashIndex index_;  // by pair and name
  NameMap host_names_, address_names_;
  std::array<Waiting, kQueue> queue_;
  std::uint64_t queued_ = 0, stored_ = 0;  // events ever; the difference waits
  std::uint64_t check_ins_ = 0;
  std::uint64_t repeats_dropped_ = 0, legs_evicted_ = 0, check_ins_evicted_ = 0;
  std::size_t adds_until_check_ = 0;
  Timestamp oldest_{}, newest_{};
};

}  // namespace beaconry
