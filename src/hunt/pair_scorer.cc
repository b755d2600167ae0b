#include "hunt/pair_scorer.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

namespace beaconry {
namespace {

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

std::optional<std::uint64_t> known(std::uint64_t bytes) {
  if (bytes == kUnknownBytes) return std::nullopt;
  return bytes;
}

}  // namespace

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

void keep(Kinds kinds, CheckIns& series) {
  if (kinds == Kinds::all) return;
  std::erase_if(series,
                [&](const CheckIn& c) { return c.inside_flow != (kinds == Kinds::bursts); });
}

void PairScorer::cut(Timestamp newest, CheckIns& series) const {
  if (!settings_.detection.gates.time_window) return;
  const Timestamp from = newest - *settings_.detection.gates.time_window;
  series.erase(series.begin(),
               std::lower_bound(series.begin(), series.end(), from,
                                [](const CheckIn& c, Timestamp t) { return c.time < t; }));
}

void PairScorer::measure(Workshop& workshop, ScoredPair& pair) const {
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
  if (std::min(bursts, 1 - bursts) < kLeastOfAKind) return;
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
}

void PairScorer::identify(const PairLegs& legs, ScoredPair& pair) const {
  const SeriesLeg& busiest = legs.busiest(store_);
  pair.kind = legs.kind;
  pair.key = busiest.pair;
  // An address pair bears a name only where all of it goes by that name.
  if (legs.kind == PairKind::named || legs.legs.size() == 1) {
    pair.server_name = store_.name(busiest.name);
    pair.name_kind = busiest.name_kind;
  }
  if (legs.kind == PairKind::named) {
    for (const SeriesStore::LegId leg : legs.legs)
      pair.destinations.push_back(store_.legs()[leg].pair.destination);
  }
  pair.source_name = store_.host_name(pair.key.source);
  if (pair.server_name.empty()) pair.address_name = store_.address_name(pair.key.destination);
  pair.inbound = !settings_.networks.is_internal(pair.key.source) &&
                 settings_.networks.is_internal(pair.key.destination);
}

PairContext PairScorer::context_of(const Neighbourhood& neighbourhood, const PairLegs& legs,
                                   const Verdict& verdict) const {
  PairContext context = neighbourhood.context_of(legs, verdict.interval_seconds);
  const BenignPattern* pattern = settings_.baseline.match(context.pair);
  if (pattern != nullptr) context.baseline = pattern->label;
  return context;
}

void PairScorer::conclude(const PairContext& context, ScoredPair& pair) const {
  Scorer(settings_.detection).conclude(context, pair.verdict);
  pair.hidden_reason = shut_out_by(settings_.detection.gates, pair);
  if (pair.hidden_reason.empty()) return;
  pair.hidden = Hidden::gated;
  pair.verdict.is_beacon = false;
}

double PairScorer::concluded(const PairContext& context, double score) const {
  Verdict verdict;
  verdict.adjustments.push_back({"measured", score, {}});
  Scorer(settings_.detection).conclude(context, verdict);
  return verdict.combined_score;
}

void PairScorer::complete(const PairContext& context, const PairLegs& legs,
                          ScoredPair& pair) const {
  explain(context, pair.verdict);
  std::vector<std::pair<Timestamp, std::string>> ids;
  for (const SeriesStore::LegId leg : legs.legs)
    store_.samples().read(store_.legs()[leg].samples, ids);
  std::sort(ids.begin(), ids.end());
  if (ids.size() > SampleStore::kSamples) ids.resize(SampleStore::kSamples);
  pair.uids.clear();
  for (auto& [time, id] : ids)
    pair.uids.push_back(std::move(id));
}

void PairScorer::represent(const PairIndex& index,
                           const std::function<std::optional<ScoredPair>(std::uint32_t)>& missing,
                           std::vector<ScoredPair>& pairs) const {
  std::vector<std::uint32_t> place(index.groups().size(), PairIndex::kNone);
  for (std::uint32_t i = 0; i < pairs.size(); ++i)
    place[pairs[i].series_id] = i;
  const std::size_t scored = pairs.size();
  for (std::size_t i = 0; i < scored; ++i) {
    if (pairs[i].kind != PairKind::named || !pairs[i].verdict.is_beacon) continue;
    const std::string name = pairs[i].server_name;
    for (const SeriesStore::LegId leg : index.legs(index.groups()[pairs[i].series_id])) {
      const std::uint32_t group = index.address_group(leg);
      const double share = static_cast<double>(store_.legs()[leg].connections) /
                           static_cast<double>(index.groups()[group].connections);
      if (share < kRepresentedShare) continue;
      if (place[group] == PairIndex::kNone) {
        std::optional<ScoredPair> pair = missing(group);
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

}  // namespace beaconry
