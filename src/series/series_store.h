#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/hash_index.h"
#include "base/paged_vector.h"
#include "flow/flow_event.h"
#include "series/address_names.h"
#include "series/check_in.h"
#include "series/check_in_log.h"
#include "series/name_table.h"
#include "series/sample_store.h"

namespace beaconry {

// A leg is what one pair does under one server name (or none): the smallest thing that is stored.
// An address pair is all legs of its key; a named pair is all legs of a source, name, port and
// protocol. So each check-in is stored once and found under both.
struct SeriesLeg {
  PairKey pair;
  NameTable::Id name = 0;
  std::uint32_t check_ins = 0;    // stored, before those of other legs are gathered in; 0: no leg
  SampleStore::List samples = 0;  // from the earliest check-ins that are stored
  CheckInLog::Chain chain;        // all but the last
  CheckIn last;                   // the last, which may still grow
  Timestamp samples_before = Timestamp::max();  // later ids are not among the first five
  std::uint64_t connections = 0;
  NameKind name_kind = NameKind::none;
};

// Stores the check-ins of every pair. It is a FlowSink: a source writes into it. Events may come
// in any order. Memory is bounded: past the limit the least interesting legs go, and are counted;
// what is older than a retention can be dropped while events come. Not thread-safe: one store a
// thread, merged by absorb(), or one behind a mutex.
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
  void set_burst_gap(Duration gap) { options_.burst_gap = gap; }
  const Options& options() const { return options_; }

  // Takes all that another settled store with the same options holds; that is empty afterwards.
  // REQUIRES: nothing of the other has expired.
  void absorb(SeriesStore& other);

  // Forgets check-ins, legs and names from before `before`, in a slice: of `count` entries of each
  // table from number `first` on. False: that was the last slice.
  bool expire(Timestamp before, std::size_t first, std::size_t count);
  // Removes legs until no more than `limit` bytes are used: those with the fewest check-ins first,
  // of equal ones the longest silent.
  void shrink(std::size_t limit);
  // While pinned, numbers of legs and names stay with what they stood for: a removed leg has no
  // check-ins, and its number is given to another only after the last unpin().
  void pin() { ++pins_; }
  void unpin();

  const PagedVector<SeriesLeg>& legs() const { return legs_; }  // some may have no check-ins
  std::uint64_t legs_removed() const { return legs_removed_; }  // ever; changes with every removal
  std::size_t leg_count() const { return legs_.size() - free_legs_.size() - removed_.size(); }
  std::string_view name(NameTable::Id id) const { return names_.name(id); }
  std::size_t names() const { return names_.size(); }
  // For who keeps names of its own beside those of the legs.
  NameTable& name_table() { return names_; }
  std::string_view host_name(const IpAddress& host) const { return host_names_.find(host); }
  std::string_view address_name(const IpAddress& address) const {
    return address_names_.find(address);
  }
  const SampleStore& samples() const { return samples_; }

  // The check-ins of several legs together: in time order, those closer than the burst gap
  // gathered, exact repeats (a log given twice) left out. Replaces `out`.
  void collect(std::span<const LegId> legs, std::vector<CheckIn>& out) const;
  // The first half of collect(): what is stored of the legs, appended to `out`. gather_series()
  // makes a series of it and needs no store.
  void decode(std::span<const LegId> legs, std::vector<CheckIn>& out) const;

  Timestamp first_of(const SeriesLeg& leg) const { return log_.first(leg.chain, leg.last.time); }

  Timestamp from() const { return from_; }      // what is older has expired or is about to
  Timestamp oldest() const { return oldest_; }  // of all events; the epoch while there are none
  Timestamp newest() const { return newest_; }
  std::uint64_t repeats_dropped() const { return repeats_dropped_; }
  std::uint64_t legs_evicted() const { return legs_evicted_; }
  std::uint64_t check_ins_evicted() const { return check_ins_evicted_; }
  std::uint64_t check_ins() const { return check_ins_; }
  std::uint64_t check_ins_expired() const { return check_ins_expired_; }
  std::uint64_t connections() const { return connections_; }
  std::size_t memory_bytes() const;  // held, with what waits to be used again
  std::size_t used_bytes() const;    // what the memory limit is about

 private:
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

  static std::uint32_t hash_of(const PairKey& pair, NameTable::Id name);
  SeriesLeg& leg_of(const PairKey& pair, std::uint32_t hash, NameTable::Id name, NameKind kind);
  void fetch_leg(const Waiting& event) const;
  void fetch_log(const Waiting& event) const;
  void store(const Waiting& event);
  void put(SeriesLeg& leg, const CheckIn& check_in);
  void remove(LegId id);
  void reclaim();

  Options options_;
  NameTable names_;
  CheckInLog log_;
  SampleStore samples_;
  PagedVector<SeriesLeg> legs_;
  std::vector<LegId> free_legs_, removed_;  // removed: while the store is pinned
  HashIndex index_;                         // by pair and name
  AddressNames host_names_{names_}, address_names_{names_};
  std::array<Waiting, kQueue> queue_;
  std::uint64_t queued_ = 0, stored_ = 0;  // events ever; the difference waits
  std::uint64_t check_ins_ = 0, connections_ = 0;
  std::uint64_t repeats_dropped_ = 0, legs_evicted_ = 0, check_ins_evicted_ = 0;
  std::uint64_t check_ins_expired_ = 0, legs_removed_ = 0;
  unsigned pins_ = 0;
  std::size_t adds_until_check_ = 0;
  Timestamp from_{}, oldest_{}, newest_{};
};

}  // namespace beaconry
