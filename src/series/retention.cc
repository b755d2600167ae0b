// How a SeriesStore forgets: by age, and by a ceiling of memory.
#include <algorithm>
#include <limits>

#include "series/series_store.h"

namespace beaconry {
namespace {

// Legs are told apart by their check-ins up to here, above by their silence alone.
constexpr std::size_t kRanks = 4096;
constexpr std::size_t kMoments = 4096;  // the time of the store is cut into so many

}  // namespace

void SeriesStore::remove(LegId id) {
  SeriesLeg& leg = legs_[id];
  index_.erase(hash_of(leg.pair, leg.name), id);
  log_.drop_all(leg.chain);
  samples_.drop_before(leg.samples, Timestamp::max());
  check_ins_ -= leg.check_ins;
  connections_ -= leg.connections;
  leg.check_ins = 0;
  leg.connections = 0;
  ++legs_removed_;
  removed_.push_back(id);
  if (pins_ == 0) reclaim();
}

void SeriesStore::reclaim() {
  for (const LegId id : removed_) {
    names_.release(legs_[id].name);
    legs_[id] = SeriesLeg{};
    free_legs_.push_back(id);
  }
  removed_.clear();
}

void SeriesStore::unpin() {
  if (--pins_ == 0) reclaim();
}

bool SeriesStore::expire(Timestamp before, std::size_t first, std::size_t count) {
  settle();
  from_ = std::max(from_, before);
  if (oldest_ != Timestamp{}) oldest_ = std::max(oldest_, from_);
  const std::size_t end = std::min(legs_.size(), first + count);
  for (std::size_t i = first; i < end; ++i) {
    SeriesLeg& leg = legs_[i];
    if (leg.check_ins == 0) continue;
    const CheckInLog::Dropped dropped = log_.drop_before(leg.chain, from_);
    leg.check_ins -= static_cast<std::uint32_t>(dropped.check_ins);
    leg.connections -= dropped.connections;
    check_ins_ -= dropped.check_ins;
    connections_ -= dropped.connections;
    check_ins_expired_ += dropped.check_ins;
    if (leg.chain.head == 0 && leg.last.time < from_) {
      check_ins_expired_ += leg.check_ins;
      remove(static_cast<LegId>(i));
      continue;
    }
    if (dropped.check_ins == 0) continue;
    leg.samples_before = samples_.drop_before(leg.samples, from_);
  }
  host_names_.expire(from_, first, count);
  address_names_.expire(from_, first, count);
  return first + count < std::max({legs_.size(), host_names_.entries(), address_names_.entries()});
}

// Two passes that only count find the border between what stays and what goes, so that no order of
// all legs has to be held: first by check-ins, then, among those with equally many, by silence.
void SeriesStore::shrink(std::size_t limit) {
  settle();
  const std::size_t used = used_bytes();
  if (used <= limit) return;
  const std::size_t wanted = used - limit;
  const auto cost_of = [](const SeriesLeg& leg) {
    return sizeof(SeriesLeg) + leg.chain.bytes + leg.chain.bytes / 8 + 16;
  };
  const auto rank_of = [](const SeriesLeg& leg) {
    return std::min<std::size_t>(leg.check_ins, kRanks - 1);
  };
  std::vector<std::size_t> bytes(kRanks, 0);
  for (const SeriesLeg& leg : legs_)
    bytes[rank_of(leg)] += leg.check_ins == 0 ? 0 : cost_of(leg);
  std::size_t rank = 0, freed = 0;
  while (rank + 1 < kRanks && freed + bytes[rank] < wanted)
    freed += bytes[rank++];

  const std::int64_t start = oldest_.time_since_epoch().count();
  const std::int64_t step =
      std::max<std::int64_t>((newest_ - oldest_).count() / static_cast<std::int64_t>(kMoments), 0) +
      1;
  const auto moment_of = [&](const SeriesLeg& leg) {
    const std::int64_t at = (leg.last.time.time_since_epoch().count() - start) / step;
    return static_cast<std::size_t>(
        std::clamp<std::int64_t>(at, 0, static_cast<std::int64_t>(kMoments) - 1));
  };
  std::fill(bytes.begin(), bytes.end(), 0);
  for (const SeriesLeg& leg : legs_) {
    if (leg.check_ins != 0 && rank_of(leg) == rank) bytes[moment_of(leg)] += cost_of(leg);
  }
  std::size_t moment = 0;
  while (moment + 1 < kMoments && freed + bytes[moment] < wanted)
    freed += bytes[moment++];

  for (std::size_t i = 0; i < legs_.size(); ++i) {
    const SeriesLeg& leg = legs_[i];
    if (leg.check_ins == 0) continue;
    const std::size_t its = rank_of(leg);
    if (its > rank) continue;
    if (its == rank) {
      const std::size_t when = moment_of(leg);
      if (when > moment || (when == moment && freed >= wanted)) continue;
      if (when == moment) freed += cost_of(leg);
    }
    ++legs_evicted_;
    check_ins_evicted_ += leg.check_ins;
    remove(static_cast<LegId>(i));
  }
}

}  // namespace beaconry
