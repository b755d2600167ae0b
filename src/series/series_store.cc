#include "series/series_store.h"

#include <absl/hash/hash.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace beaconry {
namespace {

// Memory is looked at once in so many events: the sum is cheap but not free.
constexpr std::size_t kAddsBetweenChecks = 4096;
constexpr std::size_t kMostAddressNames = 1'000'000;

Timestamp last_began(const CheckIn& check_in) {
  return check_in.time + check_in.span;
}

// Seeded anew by each process: addresses are chosen by peers, who must not choose collisions.
std::uint32_t hash_of(const PairKey& pair, NameTable::Id name) {
  return static_cast<std::uint32_t>(absl::HashOf(pair, name));
}

bool repeats(const CheckIn& a, const CheckIn& b) {
  return a.time == b.time && a.span == b.span && a.connections == b.connections &&
         a.inside_flow == b.inside_flow && a.bytes_out == b.bytes_out && a.bytes_in == b.bytes_in;
}

bool gathers(const CheckIn& into, const CheckIn& other, Duration gap) {
  return other.time < last_began(into) + gap && into.time < last_began(other) + gap;
}

void gather(CheckIn& into, const CheckIn& other) {
  const Timestamp end = std::max(last_began(into), last_began(other));
  into.time = std::min(into.time, other.time);
  into.span = end - into.time;
  const std::uint64_t connections = std::uint64_t{into.connections} + other.connections;
  into.connections = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(connections, std::numeric_limits<std::uint32_t>::max()));
  into.inside_flow = into.inside_flow && other.inside_flow;
  into.bytes_out = add_bytes(into.bytes_out, other.bytes_out);
  into.bytes_in = add_bytes(into.bytes_in, other.bytes_in);
}

}  // namespace

SeriesStore::SeriesStore(const Options& options) : options_(options) {}

Leg& SeriesStore::leg_of(const PairKey& pair, std::uint32_t hash, NameTable::Id name,
                         NameKind kind) {
  const LegId found =
      index_.find(hash, [&](LegId id) { return legs_[id].name == name && legs_[id].pair == pair; });
  if (found != HashIndex::kNone) {
    Leg& leg = legs_[found];
    leg.name_kind = std::max(leg.name_kind, kind);
    return leg;
  }
  index_.insert(hash, static_cast<LegId>(legs_.size()));
  Leg& leg = legs_.emplace_back();
  leg.pair = pair;
  leg.name = name;
  leg.name_kind = kind;
  return leg;
}

void SeriesStore::add(const FlowEvent& event) {
  if (!event.begins_check_in) return;
  if (adds_until_check_-- == 0) {
    adds_until_check_ = kAddsBetweenChecks;
    if (memory_bytes() > options_.memory_limit) {
      settle();  // what waits knows its name by a number that goes with the old names
      evict_least_interesting();
    }
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
  for (std::size_t at = 0; at < sizeof(Leg); at += kLine)
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
  Leg& leg = leg_of(event.pair, event.hash, event.name, event.name_kind);
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

void SeriesStore::put(Leg& leg, const CheckIn& check_in) {
  if (leg.check_ins != 0) {
    if (repeats(leg.last, check_in)) {
      ++repeats_dropped_;
      return;
    }
    leg.connections += check_in.connections;
    if (gathers(leg.last, check_in, options_.burst_gap)) {
      gather(leg.last, check_in);
      return;
    }
    log_.append(leg.chain, leg.last);
  } else {
    leg.connections += check_in.connections;
  }
  leg.last = check_in;
  ++leg.check_ins;
  ++check_ins_;
}

void SeriesStore::put_name(NameMap& map, const IpAddress& address, std::string_view name,
                           Timestamp time) {
  if (name.empty()) return;
  const auto found = map.find(address);
  if (found == map.end()) {
    if (map.size() < kMostAddressNames) map.emplace(address, DatedName{names_.intern(name), time});
  } else if (found->second.time <= time) {
    found->second = DatedName{names_.intern(name), time};
  }
}

void SeriesStore::add_host_name(const IpAddress& host, std::string_view name, Timestamp time) {
  put_name(host_names_, host, name, time);
}

void SeriesStore::add_address_name(const IpAddress& address, std::string_view name,
                                   Timestamp time) {
  put_name(address_names_, address, name, time);
}

std::string_view SeriesStore::name_of(const NameMap& map, const IpAddress& address) const {
  const auto found = map.find(address);
  return found == map.end() ? std::string_view{} : names_.name(found->second.name);
}

void SeriesStore::absorb(SeriesStore& other) {
  const std::uint32_t adopted = log_.adopt(other.log_);
  for (const Leg& leg : other.legs_) {
    if (leg.check_ins == 0) continue;
    const NameTable::Id name = leg.name == 0 ? 0 : names_.intern(other.name(leg.name));
    Leg& mine = leg_of(leg.pair, hash_of(leg.pair, name), name, leg.name_kind);
    mine.samples_before = samples_.offer_all(mine.samples, other.samples_, leg.samples);
    if (mine.check_ins != 0) log_.append(mine.chain, mine.last);
    log_.append(mine.chain, leg.chain, adopted);
    mine.last = leg.last;
    mine.check_ins += leg.check_ins;
    mine.connections += leg.connections;
  }
  check_ins_ += std::exchange(other.check_ins_, 0);
  other.legs_.clear();
  other.index_.clear();
  for (const auto& [address, dated] : other.host_names_) {
    put_name(host_names_, address, other.name(dated.name), dated.time);
  }
  for (const auto& [address, dated] : other.address_names_) {
    put_name(address_names_, address, other.name(dated.name), dated.time);
  }
  if (oldest_ == Timestamp{} || (other.oldest_ != Timestamp{} && other.oldest_ < oldest_)) {
    oldest_ = other.oldest_;
  }
  newest_ = std::max(newest_, other.newest_);
  repeats_dropped_ += other.repeats_dropped_;
  legs_evicted_ += other.legs_evicted_;
  check_ins_evicted_ += other.check_ins_evicted_;
  if (memory_bytes() > options_.memory_limit) evict_least_interesting();
}

void SeriesStore::collect(std::span<const LegId> ids, std::vector<CheckIn>& out) const {
  out.clear();
  for (const LegId id : ids) {
    const Leg& leg = legs_[id];
    log_.decode(leg.chain, out);
    if (leg.check_ins == 0) continue;
    out.push_back(leg.last);  // to the log's resolution, so that it compares with the others
    out.back().time = std::chrono::floor<std::chrono::milliseconds>(leg.last.time);
    out.back().span = std::chrono::floor<std::chrono::milliseconds>(leg.last.span);
  }
  const auto earlier = [](const CheckIn& a, const CheckIn& b) { return a.time < b.time; };
  // Logs come nearly sorted: as a rule two sorted runs, one of each thread.
  const auto sorted_until = std::is_sorted_until(out.begin(), out.end(), earlier);
  if (sorted_until != out.end()) {
    if (std::is_sorted(sorted_until, out.end(), earlier)) {
      std::inplace_merge(out.begin(), sorted_until, out.end(), earlier);
    } else {
      std::stable_sort(out.begin(), out.end(), earlier);
    }
  }
  std::size_t kept = 0;
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (repeats(out[kept], out[i])) continue;
    if (gathers(out[kept], out[i], options_.burst_gap)) {
      gather(out[kept], out[i]);
    } else {
      out[++kept] = out[i];
    }
  }
  if (!out.empty()) out.resize(kept + 1);
}

std::size_t SeriesStore::memory_bytes() const {
  return legs_.capacity() * sizeof(Leg) + index_.memory_bytes() + log_.memory_bytes() +
         samples_.memory_bytes() + names_.memory_bytes() +
         (host_names_.capacity() + address_names_.capacity()) * (sizeof(NameMap::value_type) + 1);
}

void SeriesStore::evict_least_interesting() {
  // Half of the legs go: those with the fewest check-ins, of equal ones the longest silent. What
  // stays is written anew, so that all memory of the others comes back.
  std::vector<LegId> order(legs_.size());
  for (LegId id = 0; id < order.size(); ++id)
    order[id] = id;
  const auto more_interesting = [&](LegId a, LegId b) {
    if (legs_[a].check_ins != legs_[b].check_ins) return legs_[a].check_ins > legs_[b].check_ins;
    return legs_[a].last.time > legs_[b].last.time;
  };
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(order.size() / 2);
  std::nth_element(order.begin(), middle, order.end(), more_interesting);
  for (auto gone = middle; gone != order.end(); ++gone) {
    ++legs_evicted_;
    check_ins_evicted_ += legs_[*gone].check_ins;
  }
  order.erase(middle, order.end());
  std::sort(order.begin(), order.end());

  SeriesStore kept(options_);
  kept.options_.memory_limit = std::numeric_limits<std::size_t>::max();
  std::vector<CheckIn> series;
  for (const LegId id : order) {
    const Leg& leg = legs_[id];
    const NameTable::Id name = leg.name == 0 ? 0 : kept.names_.intern(names_.name(leg.name));
    Leg& copy = kept.leg_of(leg.pair, hash_of(leg.pair, name), name, leg.name_kind);
    copy.samples_before = kept.samples_.offer_all(copy.samples, samples_, leg.samples);
    series.clear();
    log_.decode(leg.chain, series);
    for (const CheckIn& check_in : series)
      kept.put(copy, check_in);
    kept.put(copy, leg.last);
  }
  for (const auto& [address, dated] : host_names_) {
    kept.put_name(kept.host_names_, address, names_.name(dated.name), dated.time);
  }
  for (const auto& [address, dated] : address_names_) {
    kept.put_name(kept.address_names_, address, names_.name(dated.name), dated.time);
  }
  names_ = std::move(kept.names_);
  log_ = std::move(kept.log_);
  samples_ = std::move(kept.samples_);
  legs_ = std::move(kept.legs_);
  host_names_ = std::move(kept.host_names_);
  address_names_ = std::move(kept.address_names_);
  check_ins_ = kept.check_ins_;
  index_.clear();
  for (LegId id = 0; id < legs_.size(); ++id) {
    index_.insert(hash_of(legs_[id].pair, legs_[id].name), id);
  }
}

}  // namespace beaconry
