#pragma once
#include <span>

#include "detect/context.h"
#include "detect/evidence.h"
#include "detect/settings.h"
#include "detect/signal.h"
#include "detect/verdict.h"

namespace beaconry {

// From a series to a verdict. Keeps its working memory: one a thread; no I/O, no clock.
class Scorer {
 public:
  explicit Scorer(const DetectionSettings& settings) : settings_(settings) {}

  // Fewer check-ins than this are not scored: three intervals prove nothing.
  static constexpr std::size_t kLeastCheckIns = 5;

  // Measures a series, REQUIRES it in time order: signals, rhythm, sizes and the score without
  // context. Words are left out.
  Verdict measure(std::span<const CheckIn> series);

  // Completes a measured verdict by its context: adjustments, combined score, severity.
  void conclude(const PairContext& context, Verdict& verdict) const;

  // Totals of the series measured last.
  const SizeProfile& sizes() const { return evidence_.sizes; }

 private:
  DetectionSettings settings_;
  Evidence evidence_;
};

// Puts a concluded verdict into words: reasons, the rhythm's description and the summary line,
// "bounded sleep, one host only, 420-byte check-ins".
void explain(const PairContext& context, Verdict& verdict);

}  // namespace beaconry
