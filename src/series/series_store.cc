#include "series/series_store.h"

#include <absl/hash/hash.h>

#include <algorithm>
#include <utility>

#include "series/gathering.h"

namespace beaconry {
namespace {

// Memory is looked at once in so many events: the sum is cheap but not free.
constexpr std::size_t kAddsBetweenChecks = 4096;

// An eighth at once: looking for what may go costs a pass over all legs.
constexpr std::size_t after_eviction(std::size_t limit) {
  return limit - limit / 8;
}

}  // namespace

// Seeded anew by each process: addresses are chosen by peers, who must not choose collisions.
std::uint32_t SeriesStore::hash_of(const PairKey& pair, NameTable::Id name) {
  return static_cast<std::uint32_t>(absl::HashOf(pair, name));
}

SeriesStore::SeriesStore(const Options& options) : options_(options) {}

SeriesLeg& SeriesStore::leg_of(const PairKey& pair, std::uint32_t hash, NameTable::Id name,
                               NameKind kind) {
  const LegId found =
      index_.find(hash, [&](LegId id) { return legs_[id].name == name && legs_[id].pair == pair; });
  if (found != HashIndex::kNone) {
    SeriesLeg& leg = legs_[found];
    leg.name_kind = std::max(leg.name_kind, kind);
    return leg;
  }
  LegId id = 0;
  if (free_legs_.empty()) {
    id = static_cast<LegId>(legs_.size());
    legs_.emplace_back();
  } else {
    id = free_legs_.back();
    free_legs_.pop_back();
  }
  index_.insert(hash, id);
  names_.use(name);
  SeriesLeg& leg = legs_[id];
  leg.pair = pair;
  leg.name = name;
  leg.name_kind = kind;
  return leg;
}

void SeriesStore::add(const FlowEvent& event) {
  if (!event.begins_check_in) return;
  if (adds_until_check_-- == 0) {
    adds_until_check_ = kAddsBetweenChecks;
    if (used_bytes() > options_.memory_limit) shrink(after_eviction(options_.memory_limit));
  }
  if (queued_ - stored_ == kQueue) store(queue_[stored_++ % kQueue]);
  Waiting& waiting = queue_[queued_++ % kQueue];
  waiting.pair = event.pair;
  waiting.name = event.server_name.empty() ? 0 : names_.intern(event.server_name);
  waiting.hash = hash_of(event.pair, waiting.name);
  waiting.name_kind = event.name_kind;
  waiting.inside_flow = event.kind == FlowEventKind::burst;
  waiting.time = event.time;
  waiting.bytes_out = event.bytes_out;
  waiting.bytes_in = event.bytes_in;
  std::string_view id = event.id;
  if (id.size() > waiting.id.size()) id.remove_prefix(id.size() - waiting.id.size());
  waiting.id_length = static_cast<std::uint8_t>(id.copy(waiting.id.data(), waiting.id.size()));

  // A leg is three cache misses away: its place in the index, itself, the end of its log. They are
  // fetched one after the other while events pass through the queue.
  index_.fetch(waiting.hash);
  if (queued_ >= kQueue) {
    fetch_leg(queue_[(queued_ - kQueue / 3) % kQueue]);
    fetch_log(queue_[(queued_ - 2 * kQueue / 3) % kQueue]);
  }
}

void SeriesStore::fetch_leg(const Waiting& event) const {
  const LegId id = index_.guess(event.hash);
  if (id == HashIndex::kNone) return;
  constexpr std::size_t kLine = 64;
  const char* leg = reinterpret_cast<const char*>(&legs_[id]);
  for (std::size_t at = 0; at < sizeof(SeriesLeg); at += kLine)
    __builtin_prefetch(leg + at);
}

void SeriesStore::fetch_log(const Waiting& event) const {
  const LegId id = index_.guess(event.hash);
  if (id != HashIndex::kNone) log_.fetch(legs_[id].chain);
}

void SeriesStore::settle() {
  while (stored_ != queued_)
    store(queue_[stored_++ % kQueue]);
}

void SeriesStore::store(const Waiting& event) {
  SeriesLeg& leg = leg_of(event.pair, event.hash, event.name, event.name_kind);
  CheckIn check_in;
  check_in.time = event.time;
  check_in.inside_flow = event.inside_flow;
  check_in.bytes_out = event.bytes_out;
  check_in.bytes_in = event.bytes_in;
  if (oldest_ == Timestamp{} || event.time < oldest_) oldest_ = event.time;
  newest_ = std::max(newest_, event.time);
  if (event.time < leg.samples_before) {
    leg.samples_before =
        samples_.offer(leg.samples, event.time, {event.id.data(), event.id_length});
  }
  put(leg, check_in);
}

void SeriesStore::put(SeriesLeg& leg, const CheckIn& check_in) {
  if (leg.check_ins != 0) {
    if (repeats(leg.last, check_in)) {
      ++repeats_dropped_;
      return;
    }
    leg.connections += check_in.connections;
    connections_ += check_in.connections;
    if (gathers(leg.last, check_in, options_.burst_gap)) {
      gather(leg.last, check_in);
      return;
    }
    log_.append(leg.chain, leg.last);
  } else {
    leg.connections += check_in.connections;
    connections_ += check_in.connections;
  }
  leg.last = check_in;
  ++leg.check_ins;
  ++check_ins_;
}

void SeriesStore::add_host_name(const IpAddress& host, std::string_view name, Timestamp time) {
  host_names_.put(host, name, time);
}

void SeriesStore::add_address_name(const IpAddress& address, std::string_view name,
                                   Timestamp time) {
  address_names_.put(address, name, time);
}

void SeriesStore::absorb(SeriesStore& other) {
  const std::uint32_t adopted = log_.adopt(other.log_);
  for (const SeriesLeg& leg : other.legs_) {
    if (leg.check_ins == 0) continue;
    const NameTable::Id name = leg.name == 0 ? 0 : names_.intern(other.name(leg.name));
    SeriesLeg& mine = leg_of(leg.pair, hash_of(leg.pair, name), name, leg.name_kind);
    mine.samples_before = samples_.offer_all(mine.samples, other.samples_, leg.samples);
    if (mine.check_ins != 0) log_.append(mine.chain, mine.last);
    log_.append(mine.chain, leg.chain, adopted);
    mine.last = leg.last;
    mine.check_ins += leg.check_ins;
    mine.connections += leg.connections;
  }
  check_ins_ += std::exchange(other.check_ins_, 0);
  connections_ += std::exchange(other.connections_, 0);
  other.legs_.clear();
  other.free_legs_.clear();
  other.index_.clear();
  host_names_.absorb(other.host_names_);
  address_names_.absorb(other.address_names_);
  if (oldest_ == Timestamp{} || (other.oldest_ != Timestamp{} && other.oldest_ < oldest_)) {
    oldest_ = other.oldest_;
  }
  newest_ = std::max(newest_, other.newest_);
  repeats_dropped_ += other.repeats_dropped_;
  legs_evicted_ += other.legs_evicted_;
  check_ins_evicted_ += other.check_ins_evicted_;
  if (used_bytes() > options_.memory_limit) shrink(after_eviction(options_.memory_limit));
}

void SeriesStore::decode(std::span<const LegId> ids, std::vector<CheckIn>& out) const {
  for (const LegId id : ids) {
    const SeriesLeg& leg = legs_[id];
    if (leg.check_ins == 0) continue;
    log_.decode(leg.chain, out);
    out.push_back(leg.last);  // to the log's resolution, so that it compares with the others
    out.back().time = std::chrono::floor<std::chrono::milliseconds>(leg.last.time);
    out.back().span = std::chrono::floor<std::chrono::milliseconds>(leg.last.span);
  }
}

void SeriesStore::collect(std::span<const LegId> ids, std::vector<CheckIn>& out) const {
  out.clear();
  decode(ids, out);
  gather_series(out, from_, options_.burst_gap);
}

std::size_t SeriesStore::memory_bytes() const {
  return legs_.memory_bytes() + (free_legs_.capacity() + removed_.capacity()) * sizeof(LegId) +
         index_.memory_bytes() + log_.memory_bytes() + samples_.memory_bytes() +
         names_.memory_bytes() + host_names_.memory_bytes() + address_names_.memory_bytes();
}

std::size_t SeriesStore::used_bytes() const {
  return leg_count() * (sizeof(SeriesLeg) + sizeof(std::uint64_t) * 2) + log_.used_bytes() +
         samples_.used_bytes() + names_.memory_bytes() + host_names_.memory_bytes() +
         address_names_.memory_bytes();
}

}  // namespace beaconry
