#include "hunt/hunt.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/parallel.h"

namespace beaconry {
namespace {

constexpr std::size_t kBlock = 64;  // series a thread takes at once
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

void Hunt::collect(const PairLegs& pair, CheckIns& out) const {
  store().collect(pair.legs, out);
  scorer_->cut(newest_, out);
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
  neighbourhood_ = std::make_unique<Neighbourhood>(store(), settings_.networks);
  scorer_ = std::make_unique<PairScorer>(settings_, store());

  measure_all(report.pairs);
  conclude_all(report.pairs);
  rank(report.pairs);
  scorer_->represent(
      *index_, [this](std::uint32_t id) { return too_few(id); }, report.pairs);
  rank(report.pairs);
  count(report);
}

void Hunt::measure_all(std::vector<ScoredPair>& pairs) {
  std::vector<std::uint32_t> candidates;
  const auto groups = index_->groups();
  for (std::uint32_t id = 0; id < groups.size(); ++id) {
    if (groups[id].check_ins >= Scorer::kLeastCheckIns) candidates.push_back(id);
  }
  pairs.resize(candidates.size());
  std::vector<PairScorer::Workshop> workshops(settings_.threads, scorer_->workshop());
  parallel_for(candidates.size(), settings_.threads, kBlock,
               [&](unsigned thread, std::size_t begin, std::size_t end) {
                 PairScorer::Workshop& workshop = workshops[thread];
                 for (std::size_t i = begin; i < end; ++i) {
                   const PairLegs legs = index_->pair(candidates[i]);
                   collect(legs, workshop.series);
                   if (workshop.series.size() < Scorer::kLeastCheckIns) continue;
                   scorer_->measure(workshop, pairs[i]);
                   pairs[i].series_id = candidates[i];
                   scorer_->identify(legs, pairs[i]);
                 }
               });
  std::erase_if(pairs, [](const ScoredPair& pair) { return pair.check_ins == 0; });
}

void Hunt::conclude_all(std::vector<ScoredPair>& pairs) {
  for (const ScoredPair& pair : pairs) {
    if (pair.kind == PairKind::address && pair.verdict.combined_score >= kRhythmScore) {
      neighbourhood_->add_rhythm(index_->pair(pair.series_id), pair.verdict.interval_seconds);
    }
  }
  parallel_for(pairs.size(), settings_.threads, kBlock,
               [&](unsigned, std::size_t begin, std::size_t end) {
                 for (std::size_t i = begin; i < end; ++i)
                   scorer_->conclude(context_of(pairs[i]), pairs[i]);
               });
}

PairContext Hunt::context_of(const ScoredPair& pair) const {
  return scorer_->context_of(*neighbourhood_, index_->pair(pair.series_id), pair.verdict);
}

std::optional<ScoredPair> Hunt::too_few(std::uint32_t id) const {
  PairScorer::Workshop workshop = scorer_->workshop();
  collect(index_->pair(id), workshop.series);
  if (workshop.series.empty()) return std::nullopt;
  ScoredPair pair;
  scorer_->measure(workshop, pair);
  pair.series_id = id;
  scorer_->identify(index_->pair(id), pair);
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
  scorer_->complete(context_of(pair), index_->pair(pair.series_id), pair);
}

CheckIns Hunt::check_ins(const ScoredPair& pair) const {
  CheckIns series;
  collect(index_->pair(pair.series_id), series);
  keep(pair.judged, series);
  return series;
}

}  // namespace beaconry
