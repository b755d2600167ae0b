#include <algorithm>
#include <cmath>

#include "detect/signal.h"

// Periodicity, by two roads, since no one statistic sees both kinds of rhythm: the phase coherence
// of schedules, and the interval scan of sleep loops, whose phase drifts. The raw value is the
// share of intervals in the best window (or the resultant length, if that road won).
namespace beaconry::signals {
namespace {

constexpr double kHalfEvidence = 8;  // nats at which the score is 1/2 for want of data
constexpr double kEvidenceScale = 1.5;
constexpr double kHalfExcess = 0.06;  // nats an interval: ±100 % jitter has 0.10, people 0.02
constexpr double kExcessSteepness = 3;

double renewal_score(const IntervalScan& scan) {
  if (scan.excess <= 0) return 0;
  return logistic((scan.evidence - kHalfEvidence) / kEvidenceScale) *
         logistic(kExcessSteepness * std::log(scan.excess / kHalfExcess));
}

Measurement measure(const Evidence& e, const DetectionSettings& settings) {
  Measurement m;
  m.threshold = settings.periodicity_threshold;
  const double single = renewal_score(e.scan);
  const double lagged = e.lag > 1 ? renewal_score(e.lagged) : 0;
  const double schedule =
      e.coherence.resultant * logistic((e.coherence.evidence - kHalfEvidence) / kEvidenceScale);
  m.score = std::max({single, lagged, schedule});
  m.raw_value = e.scan.share;
  if (schedule > std::max(single, lagged)) m.raw_value = e.coherence.resultant;
  if (lagged > std::max(single, schedule)) m.raw_value = e.lagged.share;
  return m;
}

}  // namespace

extern const Signal periodicity;
constinit const Signal periodicity{"periodicity", &DetectionSettings::periodicity_weight, measure};

}  // namespace beaconry::signals
