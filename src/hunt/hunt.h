#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "hunt/hunt_report.h"
#include "hunt/neighbourhood.h"
#include "hunt/pair_index.h"
#include "hunt/pair_scorer.h"
#include "series/series_store.h"

namespace beaconry {

// From flow events to scored pairs. Sources write into sinks(), one thread a sink; then score()
// fills the report's pairs. The stores stay, so that series can be looked at afterwards.
class Hunt {
 public:
  explicit Hunt(const HuntSettings& settings);
  ~Hunt();

  std::span<FlowSink* const> sinks() const { return sinks_; }

  // Measures every pair, puts each into its context and fills `report.pairs`, best score first,
  // and what was counted of them. Call once, when all sources are done.
  void score(HuntReport& report);

  // Fills words, ids, names and addresses of a pair that score() left out because most pairs are
  // never shown.
  void complete(ScoredPair& pair) const;

  // The check-ins that a pair's verdict is about, in time order.
  CheckIns check_ins(const ScoredPair& pair) const;

 private:
  void measure_all(std::vector<ScoredPair>& pairs);
  void conclude_all(std::vector<ScoredPair>& pairs);
  void count(HuntReport& report);
  // A pair with too few check-ins to be scored for its own sake; nothing if the configured time
  // window leaves none.
  std::optional<ScoredPair> too_few(std::uint32_t id) const;
  PairContext context_of(const ScoredPair& pair) const;
  void collect(const PairLegs& pair, CheckIns& out) const;
  const SeriesStore& store() const { return *stores_[0]; }

  HuntSettings settings_;
  std::vector<std::unique_ptr<SeriesStore>> stores_;
  std::vector<FlowSink*> sinks_;
  std::unique_ptr<PairIndex> index_;
  std::unique_ptr<Neighbourhood> neighbourhood_;
  std::unique_ptr<PairScorer> scorer_;
  Timestamp oldest_{}, newest_{};
};

}  // namespace beaconry
