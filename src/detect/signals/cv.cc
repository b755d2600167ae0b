#include <algorithm>
#include <cmath>

#include "detect/signal.h"

// Interval variation: how much the time between check-ins varies, as a coefficient of variation.
// The raw value is the least of three estimates that each survive what ruins the others: quantiles
// (outliers), the spread around a folded rhythm (missed check-ins, two rhythms) and the dispersion
// of counts (heavy jitter, half-lost check-ins). 1 is memoryless; a sleep loop of 100 % jitter has
// 0.58.
namespace beaconry::signals {
namespace {

constexpr double kNormalRange = 2.563;  // 10-90 % range of a standard normal variable
// Few intervals look even by chance: the estimate is taken at its upper end.
constexpr double kCaution = 1.6;
// The score is 1/2 at five thresholds (0.75 by default) and falls with the eighth power.
constexpr double kHalfScoreAt = 5;
constexpr double kSteepness = 8;

Measurement measure(const Evidence& e, const DetectionSettings& settings) {
  const Intervals& x = e.intervals;
  Measurement m;
  m.threshold = settings.cv_threshold;
  if (x.size() < 2 || x.median <= 0) return m;
  const double alive = std::max(x.median - x.dead_time, 0.05 * x.median);
  const double by_quantiles =
      (quantile(x.sorted, 0.9) - quantile(x.sorted, 0.1)) / kNormalRange / alive;
  const Folding& f = e.folding;
  const double by_folding = std::sqrt(f.explained_share * f.relative_spread * f.relative_spread +
                                      (1 - f.explained_share)) *
                            x.median / alive;
  const double by_counts = std::sqrt(e.dispersion.value);
  m.raw_value = std::min({by_quantiles, by_folding, by_counts});
  const double cautious =
      m.raw_value * std::exp(kCaution / std::sqrt(static_cast<double>(x.size())));
  const double half = kHalfScoreAt * settings.cv_threshold;
  m.score = half <= 0 ? 0 : logistic(kSteepness * std::log(half / std::max(cautious, 1e-6)));
  return m;
}

}  // namespace

extern const Signal cv;
constinit const Signal cv{"cv", &DetectionSettings::cv_weight, measure};

}  // namespace beaconry::signals
