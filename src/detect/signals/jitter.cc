#include <algorithm>
#include <cmath>

#include "detect/signal.h"

// Jitter: whether deviations from the rhythm are bounded. A sleep loop's jitter has hard ends; that
// of people has none. The raw value is the largest deviation in seconds, leaving out one in ten,
// measured from what explains the interval, so that missed check-ins do not count as jitter.
namespace beaconry::signals {
namespace {

// Against the rhythm: ±100 % jitter deviates by 0.8, memoryless arrivals by 2.3 medians.
constexpr double kHalfDeviation = 1.3;
constexpr double kSteepness = 5;
constexpr double kCaution = 1.2;
// Deviations below jitter_threshold are fine while that is small against the rhythm.
constexpr double kThresholdCounts = 0.25;

Measurement measure(const Evidence& e, const DetectionSettings& settings) {
  const Intervals& x = e.intervals;
  Measurement m;
  m.threshold = settings.jitter_threshold_seconds;
  if (x.size() < 2 || x.median <= 0) return m;
  m.raw_value = e.folding.usual_deviation;
  if (m.raw_value <= std::min(m.threshold, kThresholdCounts * x.median)) {
    m.score = 1;
    return m;
  }
  const double alive = std::max(x.median - x.dead_time, 0.05 * x.median);
  const double cautious =
      m.raw_value / alive * std::exp(kCaution / std::sqrt(static_cast<double>(x.size())));
  m.score = logistic(kSteepness * std::log(kHalfDeviation / cautious));
  return m;
}

}  // namespace

extern const Signal jitter;
constinit const Signal jitter{"jitter", &DetectionSettings::jitter_weight, measure};

}  // namespace beaconry::signals
