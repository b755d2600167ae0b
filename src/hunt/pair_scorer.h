#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "detect/benign_baseline.h"
#include "detect/scorer.h"
#include "detect/settings.h"
#include "flow/networks.h"
#include "hunt/neighbourhood.h"
#include "hunt/pair_index.h"
#include "hunt/scored_pair.h"

namespace beaconry {

struct HuntSettings {
  DetectionSettings detection;
  Networks networks;
  BenignBaseline baseline;
  unsigned threads = 2;
  std::size_t memory_limit = std::size_t{2} << 30;  // for all series together
};

constexpr double kRhythmScore = 0.5;  // from here on an address pair counts towards a fan-out

// From one pair's check-ins to a ScoredPair: what a hunt of files and one that never ends share.
// The functions that are given a PairLegs read the store; measure() and conclude() do not.
class PairScorer {
 public:
  // Both outlive it.
  PairScorer(const HuntSettings& settings, const SeriesStore& store)
      : settings_(settings), store_(store) {}

  // What one thread measures with; the series to measure lies in it.
  struct Workshop {
    Scorer scorer;
    CheckIns series, kind;
  };
  Workshop workshop() const { return {Scorer(settings_.detection), {}, {}}; }

  // Cuts a series to the configured time window.
  void cut(Timestamp newest, CheckIns& series) const;

  // Fills numbers and verdict of a fresh pair, without context, from the series in the workshop;
  // REQUIRES it not to be empty. Who the pair is comes from identify().
  void measure(Workshop& workshop, ScoredPair& pair) const;
  void identify(const PairLegs& legs, ScoredPair& pair) const;

  PairContext context_of(const Neighbourhood& neighbourhood, const PairLegs& legs,
                         const Verdict& verdict) const;
  // The score in its context, and the configured gates.
  void conclude(const PairContext& context, ScoredPair& pair) const;
  // conclude()'s score for a pair that measured `score`.
  double concluded(const PairContext& context, double score) const;

  // Words and ids, for pairs that are looked at.
  void complete(const PairContext& context, const PairLegs& legs, ScoredPair& pair) const;

  // Marks the address pairs that a named beacon stands for. `pairs` are ranked, their series_id is
  // a group of the index. A group that is not among them is asked of `missing` and added.
  void represent(const PairIndex& index,
                 const std::function<std::optional<ScoredPair>(std::uint32_t)>& missing,
                 std::vector<ScoredPair>& pairs) const;

 private:
  const HuntSettings& settings_;
  const SeriesStore& store_;
};

// Best first; equal scores in an order that does not depend on threads.
void rank(std::vector<ScoredPair>& pairs);

// Leaves the check-ins that a verdict is about.
void keep(Kinds kinds, CheckIns& series);

}  // namespace beaconry
