#include "hunt/live_hunt.h"

#include <absl/container/flat_hash_set.h>
#include <absl/hash/hash.h>

#include <algorithm>
#include <bitset>
#include <map>
#include <utility>

#include "hunt/live_parts.h"
#include "hunt/pair_identity.h"
#include "series/gathering.h"

namespace beaconry {
namespace {

// How many different ones a store holds takes a pass over all legs: of many, it is not done again
// before so large a part of them has changed.
constexpr std::uint64_t kFewLegs = 20'000;
constexpr std::uint64_t kPartChanged = 32;

bool matches(const LiveHunt::Filter& filter, const PairKey& pair) {
  return (!filter.source || filter.source->contains(pair.source)) &&
         (!filter.destination || filter.destination->contains(pair.destination));
}

// Different pairs among legs that come in any order: without a name a leg is all of its kind.
class PairCount {
 public:
  void first_pass(const SeriesLeg& leg) {
    if (leg.name == 0) {
      ++unnamed_;
    } else {
      named_.insert(absl::HashOf(leg.pair));
    }
  }
  bool needs_second_pass() const { return !named_.empty() && unnamed_ != 0; }
  void second_pass(const SeriesLeg& leg) {
    if (leg.name == 0) named_.erase(absl::HashOf(leg.pair));
  }
  std::uint64_t count() const { return unnamed_ + named_.size(); }

 private:
  absl::flat_hash_set<std::uint64_t> named_;
  std::uint64_t unnamed_ = 0;
};

SeriesStore::Options options_of(const LiveHunt::Settings& settings) {
  SeriesStore::Options options;
  options.burst_gap = settings.hunt.detection.burst_gap;
  options.memory_limit = settings.hunt.memory_limit;
  return options;
}

}  // namespace

LiveHunt::Parts::Parts(const Settings& given)
    : settings(std::make_shared<const Settings>(given)),
      store(options_of(given)),
      flows(store.name_table(), given.most_open_flows) {}

LiveHunt::LiveHunt(const Settings& settings) : parts_(std::make_unique<Parts>(settings)) {}

LiveHunt::~LiveHunt() = default;

void LiveHunt::set_settings(const Settings& settings) {
  const std::lock_guard lock(parts_->mutex);
  parts_->settings = std::make_shared<const Settings>(settings);
  parts_->store.set_memory_limit(settings.hunt.memory_limit);
  parts_->store.set_burst_gap(settings.hunt.detection.burst_gap);
  parts_->flows.set_most(settings.most_open_flows);
}

std::shared_ptr<LiveView> LiveHunt::Parts::make_view() {
  store.settle();
  return std::make_shared<LiveView>(settings, store, newest);
}

std::vector<SeriesStore::LegId> LiveHunt::Parts::find(std::string_view identity) {
  std::vector<SeriesStore::LegId> found;
  const std::optional<PairIdentity> wanted = PairIdentity::parse(identity);
  if (!wanted) return found;
  for_each_leg([&](SeriesStore::LegId id) {
    if (wanted->has(store.legs()[id], store)) found.push_back(id);
  });
  return found;
}

// With the mutex held. Legs that have gone since they were found are left out.
PairLegs LiveHunt::Parts::legs_of(PairKind kind, std::vector<SeriesStore::LegId>& legs) const {
  std::erase_if(legs, [&](SeriesStore::LegId id) { return store.legs()[id].check_ins == 0; });
  sort_busiest_first(store, legs);
  PairLegs pair{kind, legs, 0};
  for (const SeriesStore::LegId id : legs)
    pair.connections += store.legs()[id].connections;
  return pair;
}

bool LiveHunt::complete(ScoredPair& pair) {
  const Parts::Pin pin(*parts_);
  const PairIdentity identity = PairIdentity::of(pair);
  std::vector<SeriesStore::LegId> legs;
  {
    const std::lock_guard lock(parts_->mutex);
    if (parts_->view == nullptr) parts_->view = parts_->make_view();
    // As a rule the last analysis knows where it is; its legs may have become others' since.
    const PairIndex& index = parts_->view->index;
    if (pair.series_id < index.groups().size()) {
      const auto known = index.pair(pair.series_id).legs;
      legs.assign(known.begin(), known.end());
      std::erase_if(legs, [&](SeriesStore::LegId id) {
        return !identity.has(parts_->store.legs()[id], parts_->store);
      });
    }
  }
  if (legs.empty()) legs = parts_->find(pair.identity());
  const std::lock_guard lock(parts_->mutex);
  const PairLegs all = parts_->legs_of(pair.kind, legs);
  if (all.legs.empty() || parts_->view == nullptr) return false;
  const LiveView& view = *parts_->view;
  view.scorer.complete(view.scorer.context_of(view.neighbourhood, all, pair.verdict), all, pair);
  return true;
}

std::optional<ScoredPair> LiveHunt::score_one(std::string_view identity, CheckIns* check_ins) {
  const Parts::Pin pin(*parts_);
  const std::optional<PairIdentity> wanted = PairIdentity::parse(identity);
  if (!wanted) return std::nullopt;
  std::vector<SeriesStore::LegId> legs = parts_->find(identity);
  ScoredPair pair;
  std::shared_ptr<LiveView> view;
  CheckIns series;
  std::uint64_t connections = 0;
  Timestamp from, newest;
  {
    const std::lock_guard lock(parts_->mutex);
    if (parts_->view == nullptr) parts_->view = parts_->make_view();
    view = parts_->view;
    const PairLegs all = parts_->legs_of(wanted->kind, legs);
    if (all.legs.empty()) return std::nullopt;
    parts_->store.decode(all.legs, series);
    view->scorer.identify(all, pair);
    connections = all.connections;
    from = parts_->store.from();
    newest = parts_->newest;
  }
  PairScorer::Workshop workshop = view->scorer.workshop();
  workshop.series = std::move(series);
  gather_series(workshop.series, from, view->settings->hunt.detection.burst_gap);
  view->scorer.cut(newest, workshop.series);
  if (workshop.series.empty()) return std::nullopt;
  view->scorer.measure(workshop, pair);
  if (check_ins != nullptr) {
    *check_ins = std::move(workshop.series);
    keep(pair.judged, *check_ins);
  }
  const std::lock_guard lock(parts_->mutex);
  const PairLegs all{wanted->kind, legs, connections};
  const PairContext context = view->scorer.context_of(view->neighbourhood, all, pair.verdict);
  view->scorer.conclude(context, pair);
  view->scorer.complete(context, all, pair);
  return pair;
}

std::vector<PairSummary> LiveHunt::pairs(const Filter& filter) const {
  const std::optional<PairKey> after = PairKey::parse(filter.after);
  // The first `limit` so far: what falls out would fall out again.
  std::map<PairKey, std::pair<PairSummary, std::uint64_t>> found;  // and its busiest leg's share
  const Parts::Pin pin(*parts_);
  const SeriesStore& store = parts_->store;
  parts_->for_each_leg([&](SeriesStore::LegId id) {
    const SeriesLeg& leg = store.legs()[id];
    if (!matches(filter, leg.pair) || (after && leg.pair <= *after)) return;
    if (found.size() == filter.limit) {
      if (found.empty() || leg.pair > found.rbegin()->first) return;
    }
    const auto [entry, fresh] = found.try_emplace(leg.pair);
    auto& [summary, busiest] = entry->second;
    const Timestamp first = store.first_of(leg);
    if (fresh) {
      summary.key = leg.pair;
      summary.first_seen = first;
    }
    summary.connection_count += leg.connections;
    summary.check_ins += leg.check_ins;
    summary.first_seen = std::min(summary.first_seen, first);
    summary.last_seen = std::max(summary.last_seen, leg.last.time + leg.last.span);
    if (leg.connections > busiest) {
      busiest = leg.connections;
      summary.server_name = store.name(leg.name);
    }
    if (found.size() > filter.limit) found.erase(std::prev(found.end()));
  });
  std::vector<PairSummary> list;
  list.reserve(found.size());
  for (auto& [key, entry] : found)
    list.push_back(std::move(entry.first));
  return list;
}

std::uint64_t LiveHunt::count(const Filter& filter) const {
  if (!filter.source && !filter.destination) return counters().pairs;
  const Parts::Pin pin(*parts_);
  PairCount pairs;
  const auto each_match = [&](const auto& use) {
    parts_->for_each_leg([&](SeriesStore::LegId id) {
      const SeriesLeg& leg = parts_->store.legs()[id];
      if (matches(filter, leg.pair)) use(leg);
    });
  };
  each_match([&](const SeriesLeg& leg) { pairs.first_pass(leg); });
  if (pairs.needs_second_pass()) each_match([&](const SeriesLeg& leg) { pairs.second_pass(leg); });
  return pairs.count();
}

std::vector<OpenFlow> LiveHunt::open_flows(Duration at_least, std::size_t limit,
                                           std::uint64_t* total) const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->flows.list(at_least, limit, total);
}

// With `counting` held.
const LiveHunt::Counters& LiveHunt::Parts::count_distinct() {
  std::uint64_t legs = 0, removed = 0;
  {
    const std::lock_guard lock(mutex);
    store.settle();
    legs = store.leg_count();
    removed = store.legs_removed();
  }
  const std::uint64_t changed =
      (legs + removed) - (counted_legs + counted_removed) + (removed - counted_removed);
  if (changed == 0 || (legs > kFewLegs && changed < counted_legs / kPartChanged)) return counted;
  counted_legs = legs;
  counted_removed = removed;
  const Pin pin(*this);
  absl::flat_hash_set<std::uint64_t> sources, destinations;
  std::bitset<65536> ports;
  PairCount pairs;
  for_each_leg([&](SeriesStore::LegId id) {
    const SeriesLeg& leg = store.legs()[id];
    sources.insert(absl::HashOf(leg.pair.source));
    destinations.insert(absl::HashOf(leg.pair.destination));
    ports.set(leg.pair.port);
    pairs.first_pass(leg);
  });
  if (pairs.needs_second_pass()) {
    for_each_leg([&](SeriesStore::LegId id) { pairs.second_pass(store.legs()[id]); });
  }
  counted.pairs = pairs.count();
  counted.sources = sources.size();
  counted.destinations = destinations.size();
  counted.ports = ports.count();
  return counted;
}

LiveHunt::Counters LiveHunt::counters() const {
  const std::lock_guard counting(parts_->counting);
  Counters c = parts_->count_distinct();
  const std::lock_guard lock(parts_->mutex);
  const SeriesStore& store = parts_->store;
  c.check_ins = store.check_ins();
  c.connections = store.connections();
  c.events_added = parts_->events_added;
  c.check_ins_expired = store.check_ins_expired() + parts_->too_old;
  c.legs_evicted = store.legs_evicted();
  c.check_ins_evicted = store.check_ins_evicted();
  c.future_refused = parts_->future_refused;
  c.open_flows_dropped = parts_->flows.dropped();
  c.memory_bytes = store.memory_bytes() + parts_->flows.memory_bytes();
  c.oldest = store.oldest();
  c.newest = store.newest();
  return c;
}

}  // namespace beaconry
