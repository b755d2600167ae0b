#include "hunt/hunt.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/parallel.h"

namespace beaconry {
namespace {

constexpr std::size_t kBlock = 64;         // series a thread takes at once
constexpr double kRhythmScore = 0.5;       // from here on a pair counts towards a fan-out
constexpr double kLeastOfAKind = 0.2;      // of all check-ins, to be judged on its own
constexpr double kRepresentedShare = 0.5;  // of an address pair's check-ins under the name

// Best first; equal scores in an order that does not depend on threads.
bool ranks_before(const ScoredPair& a, const ScoredPair& b) {
  if (a.verdict.combined_score != b.verdict.combined_score) {
    return a.verdict.combined_score > b.verdict.combined_score;
  }
  if (a.check_ins != b.check_ins) return a.check_ins > b.check_ins;
  if (a.kind != b.kind) return a.kind == PairKind::named;
  if (a.key != b.key) return a.key < b.key;
  return a.server_name < b.server_name;
}

// Sorts numbers and then moves each pair once: pairs are large.
void rank(std::vector<ScoredPair>& pairs) {
  std::vector<std::uint32_t> order(pairs.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return ranks_before(pairs[a], pairs[b]); });
  for (std::uint32_t start = 0; start < order.size(); ++start) {
    if (order[start] == start) continue;
    ScoredPair displaced = std::move(pairs[start]);
    std::uint32_t hole = start;
    while (order[hole] != start) {
      pairs[hole] = std::move(pairs[order[hole]]);
      hole = std::exchange(order[hole], hole);
    }
    pairs[hole] = std::move(displaced);
    order[hole] = hole;
  }
}

std::string gate_reason(const char* gate, const std::string& limit) {
  return std::string(gate) + ' ' + limit + ", as configured";
}

// Which configured gate shuts a pair out, or nothing.
std::string shut_out_by(const DetectionGates& gates, const ScoredPair& pair) {
  const Duration interval{static_cast<std::int64_t>(pair.verdict.interval_seconds * 1e6)};
  if (gates.min_connections && pair.check_ins < *gates.min_connections) {
    return gate_reason("min_connections", std::to_string(*gates.min_connections));
  }
  if (gates.min_duration && pair.last_seen - pair.first_seen < *gates.min_duration) {
    return gate_reason("min_duration", to_words(*gates.min_duration));
  }
  if (gates.min_beacon_interval && interval < *gates.min_beacon_interval) {
    return gate_reason("min_beacon_interval", to_words(*gates.min_beacon_interval));
  }
  if (gates.max_beacon_interval && interval > *gates.max_beacon_interval) {
    return gate_reason("max_beacon_interval", to_words(*gates.max_beacon_interval));
  }
  return {};
}

void keep(Kinds kinds, CheckIns& series) {
  if (kinds == Kinds::all) return;
  std::erase_if(series,
                [&](const CheckIn& c) { return c.inside_flow != (kinds == Kinds::bursts); });
}

std::optional<std::uint64_t> known(std::uint64_t bytes) {
  if (bytes == kUnknownBytes) return std::nullopt;
  return bytes;
}

}  // namespace

Hunt::Hunt(const HuntSettings& settings) : settings_(settings) {
  settings_.threads = std::max(settings_.threads, 1U);
  SeriesStore::Options options;
  options.burst_gap = settings_.detection.burst_gap;
  options.memory_limit = settings_.memory_limit / settings_.threads;
  for (unsigned i = 0; i < settings_.threads; ++i) {
    stores_.push_back(std::make_unique<SeriesStore>(options));
    sinks_.push_back(stores_.back().get());
  }
}

Hunt::~Hunt() = default;

void Hunt::collect(const PairIndex::Group& group, CheckIns& out) const {
  store().collect(index_->legs(group), out);
  if (!settings_.detection.gates.time_window) return;
  const Timestamp from = newest_ - *settings_.detection.gates.time_window;
  out.erase(out.begin(),
            std::lower_bound(out.begin(), out.end(), from,
                             [](const CheckIn& c, Timestamp t) { return c.time < t; }));
}

void Hunt::score(HuntReport& report) {
  for (const auto& store : stores_)
    store->settle();
  stores_[0]->set_memory_limit(settings_.memory_limit);
  for (std::size_t i = 1; i < stores_.size(); ++i) {
    stores_[0]->absorb(*stores_[i]);
    stores_[i].reset();
  }
  stores_.resize(1);
  oldest_ = store().oldest();
  newest_ = store().newest();
  index_ = std::make_unique<PairIndex>(store());
  neighbourhood_ = std::make_unique<Neighbourhood>(store(), *index_, settings_.networks);

  measure_all(report.pairs);
  conclude_all(report.pairs);
  rank(report.pairs);
  represent(report.pairs);
  rank(report.pairs);
  count(report);
}

struct Hunt::Workshop {
  Scorer scorer;
  CheckIns series, kind;
};

void Hunt::measure_all(std::vector<ScoredPair>& pairs) {
  std::vector<std::uint32_t> candidates;
  const auto groups = index_->groups();
  for (std::uint32_t id = 0; id < groups.size(); ++id) {
    if (groups[id].check_ins >= Scorer::kLeastCheckIns) candidates.push_back(id);
  }
  pairs.resize(candidates.size());
  std::vector<Workshop> workshops(settings_.threads, {Scorer(settings_.detection), {}, {}});
  parallel_for(candidates.size(), settings_.threads, kBlock,
               [&](unsigned thread, std::size_t begin, std::size_t end) {
                 Workshop& workshop = workshops[thread];
                 for (std::size_t i = begin; i < end; ++i) {
                   collect(groups[candidates[i]], workshop.series);
                   if (workshop.series.size() < Scorer::kLeastCheckIns) continue;
                   pairs[i] = measured(candidates[i], workshop);
                 }
               });
  std::erase_if(pairs, [](const ScoredPair& pair) { return pair.check_ins == 0; });
}

// Fills a pair from the series that lies in the workshop.
ScoredPair Hunt::measured(std::uint32_t id, Workshop& workshop) const {
  ScoredPair pair = identified(id);
  const CheckIns& series = workshop.series;
  pair.verdict = workshop.scorer.measure(series);
  pair.bytes_out = known(workshop.scorer.sizes().bytes_out);
  pair.bytes_in = known(workshop.scorer.sizes().bytes_in);
  pair.check_ins = series.size();
  for (const CheckIn& c : series) {
    pair.connection_count += c.connections;
    pair.burst_check_ins += c.inside_flow ? 1 : 0;
  }
  pair.first_seen = series.front().time;
  pair.last_seen = series.back().time;

  const double bursts =
      static_cast<double>(pair.burst_check_ins) / static_cast<double>(series.size());
  if (std::min(bursts, 1 - bursts) < kLeastOfAKind) return pair;
  pair.verdict.combined_score = -1;  // a mix of both kinds has no rhythm of its own
  for (const Kinds kinds : {Kinds::opens, Kinds::bursts}) {
    workshop.kind = series;
    keep(kinds, workshop.kind);
    Verdict verdict = workshop.scorer.measure(workshop.kind);
    if (verdict.combined_score > pair.verdict.combined_score) {
      pair.verdict = std::move(verdict);
      pair.judged = kinds;
    }
  }
  return pair;
}

ScoredPair Hunt::identified(std::uint32_t id) const {
  const PairIndex::Group& group = index_->groups()[id];
  const Leg& busiest = store().legs()[index_->legs(group)[0]];
  ScoredPair pair;
  pair.series_id = id;
  pair.kind = group.kind;
  pair.key = busiest.pair;
  // An address pair bears a name only where all of it goes by that name.
  if (group.kind == PairKind::named || group.count == 1) {
    pair.server_name = store().name(busiest.name);
    pair.name_kind = busiest.name_kind;
  }
  if (group.kind == PairKind::named) {
    for (const SeriesStore::LegId leg : index_->legs(group)) {
      pair.destinations.push_back(store().legs()[leg].pair.destination);
    }
  }
  pair.source_name = store().host_name(pair.key.source);
  if (pair.server_name.empty()) pair.address_name = store().address_name(pair.key.destination);
  pair.inbound = !settings_.networks.is_internal(pair.key.source) &&
                 settings_.networks.is_internal(pair.key.destination);
  return pair;
}

void Hunt::conclude_all(std::vector<ScoredPair>& pairs) {
  for (const ScoredPair& pair : pairs) {
    if (pair.kind == PairKind::address && pair.verdict.combined_score >= kRhythmScore) {
      neighbourhood_->add_rhythm(index_->groups()[pair.series_id], pair.verdict.interval_seconds);
    }
  }
  const Scorer scorer(settings_.detection);
  parallel_for(pairs.size(), settings_.threads, kBlock,
               [&](unsigned, std::size_t begin, std::size_t end) {
                 for (std::size_t i = begin; i < end; ++i) {
                   ScoredPair& pair = pairs[i];
                   scorer.conclude(context_of(pair), pair.verdict);
                   pair.hidden_reason = shut_out_by(settings_.detection.gates, pair);
                   if (!pair.hidden_reason.empty()) {
                     pair.hidden = Hidden::gated;
                     pair.verdict.is_beacon = false;
                   }
                 }
               });
}

PairContext Hunt::context_of(const ScoredPair& pair) const {
  PairContext context =
      neighbourhood_->context_of(index_->groups()[pair.series_id], pair.verdict.interval_seconds);
  const BenignPattern* pattern = settings_.baseline.match(pair.key);
  if (pattern != nullptr) context.baseline = pattern->label;
  return context;
}

void Hunt::represent(std::vector<ScoredPair>& pairs) {
  std::vector<std::uint32_t> place(index_->groups().size(), PairIndex::kNone);
  for (std::uint32_t i = 0; i < pairs.size(); ++i)
    place[pairs[i].series_id] = i;
  const std::size_t scored = pairs.size();
  for (std::size_t i = 0; i < scored; ++i) {
    if (pairs[i].kind != PairKind::named || !pairs[i].verdict.is_beacon) continue;
    const std::string name = pairs[i].server_name;
    for (const SeriesStore::LegId leg : index_->legs(index_->groups()[pairs[i].series_id])) {
      const std::uint32_t group = index_->address_group(leg);
      const double share = static_cast<double>(store().legs()[leg].connections) /
                           static_cast<double>(index_->groups()[group].connections);
      if (share < kRepresentedShare) continue;
      if (place[group] == PairIndex::kNone) {
        std::optional<ScoredPair> pair = too_few(group);
        if (!pair) continue;
        place[group] = static_cast<std::uint32_t>(pairs.size());
        pairs.push_back(std::move(*pair));
      }
      ScoredPair& address = pairs[place[group]];
      if (!address.represented_by.empty()) continue;  // by a name that ranks before
      address.represented_by = name;
      address.represented_share = share;
      if (address.hidden == Hidden::no) {
        address.hidden = Hidden::represented;
        address.hidden_reason = "stood for by " + name;
      }
    }
  }
}

std::optional<ScoredPair> Hunt::too_few(std::uint32_t id) const {
  Workshop workshop{Scorer(settings_.detection), {}, {}};
  collect(index_->groups()[id], workshop.series);
  if (workshop.series.empty()) return std::nullopt;
  ScoredPair pair = measured(id, workshop);
  workshop.scorer.conclude(context_of(pair), pair.verdict);
  return pair;
}

void Hunt::count(HuntReport& report) {
  report.pairs_seen = index_->address_pairs();
  report.threshold = settings_.detection.alert_threshold;
  std::vector<bool> scored(index_->groups().size(), false);
  for (const ScoredPair& pair : report.pairs)
    scored[pair.series_id] = true;
  std::uint64_t unscored = 0;
  for (std::size_t id = 0; id < index_->address_pairs(); ++id)
    unscored += scored[id] ? 0 : 1;
  if (unscored > 0) {
    report.unscored.push_back(
        {"with fewer than " + std::to_string(Scorer::kLeastCheckIns) + " check-ins", unscored});
  }
  if (const auto& window = settings_.detection.gates.time_window; window) {
    const Timestamp from = newest_ - *window;
    if (from > oldest_) {
      report.remarks.push_back("Only check-ins from " + to_rfc3339(from) +
                               " on were looked at: time_window " + to_words(*window) +
                               ", as configured.");
      oldest_ = from;
    }
  }
  if (newest_ != Timestamp{}) {
    report.first_time = oldest_;
    report.last_time = newest_;
  }
  if (store().legs_evicted() > 0) {
    report.drops.push_back(
        {"pairs with the fewest check-ins left out to stay within memory", store().legs_evicted()});
  }
  if (store().repeats_dropped() > 0) {
    report.drops.push_back({"repeated records counted once", store().repeats_dropped()});
  }
}

void Hunt::complete(ScoredPair& pair) const {
  const PairIndex::Group& group = index_->groups()[pair.series_id];
  explain(context_of(pair), pair.verdict);
  std::vector<std::pair<Timestamp, std::string>> ids;
  for (const SeriesStore::LegId leg : index_->legs(group)) {
    store().samples().read(store().legs()[leg].samples, ids);
  }
  std::sort(ids.begin(), ids.end());
  if (ids.size() > SampleStore::kSamples) ids.resize(SampleStore::kSamples);
  pair.uids.clear();
  for (auto& [time, id] : ids)
    pair.uids.push_back(std::move(id));
}

CheckIns Hunt::check_ins(const ScoredPair& pair) const {
  CheckIns series;
  collect(index_->groups()[pair.series_id], series);
  keep(pair.judged, series);
  return series;
}

}  // namespace beaconry
