#include "detect/evidence.h"

#include <algorithm>

namespace beaconry {
namespace {

// Sums of intervals are looked at only where single ones do not settle it.
constexpr double kSettledExcess = 0.8;  // nats an interval
constexpr double kLeastSwing = 0.2;     // of lag-1 autocorrelation
constexpr double kPaidForLags = 2;      // nats
// One size all along makes chance less likely; not by more than this, since many harmless visits
// have one size, too.
constexpr double kMostForSizes = 3;  // nats

// What alternates has long intervals after short ones: neighbours are correlated negatively. An
// even series has a correlation of 0 with a deviation of 1/sqrt(n).
bool swings(const Intervals& x) {
  double crossed = 0;
  for (std::size_t i = 1; i < x.size(); ++i) {
    crossed += (x.in_order[i] - x.mean) * (x.in_order[i - 1] - x.mean);
  }
  return crossed < -kLeastSwing * x.deviation * x.deviation * static_cast<double>(x.size());
}

}  // namespace

void Evidence::scan_sums() {
  lag = 1;
  lagged = {};
  if (!swings(intervals)) return;
  for (const unsigned candidate : {2U, 3U}) {
    if (intervals.size() < candidate + 4) break;
    sums_.clear();
    // Sums that do not overlap, so that they are as independent as single intervals.
    for (std::size_t i = candidate; i < intervals.times.size(); i += candidate) {
      sums_.push_back(intervals.times[i] - intervals.times[i - candidate]);
    }
    std::sort(sums_.begin(), sums_.end());
    IntervalScan found = scan_intervals(sums_, intervals.dead_time, candidate);
    found.evidence -= kPaidForLags;
    // The alternation must be tighter than what single intervals show, not merely as loose.
    if (found.excess > scan.excess + kSettledExcess &&
        found.evidence > std::max(scan.evidence, lagged.evidence)) {
      lagged = found;
      lag = candidate;
    }
  }
}

double Evidence::evidence_of_sizes() const {
  double share = 0;
  for (const SizeMode* mode : {&sizes.out, &sizes.in}) {
    if (mode->known == check_ins && mode->bytes > 0) share = std::max(share, mode->share);
  }
  return kMostForSizes * std::clamp(2 * share - 1, 0.0, 1.0);
}

void Evidence::assign(std::span<const CheckIn> series, const DetectionSettings& settings) {
  check_ins = series.size();
  intervals.assign(series, settings.burst_gap);
  scan = scan_intervals(intervals.sorted, intervals.dead_time);
  scan_sums();
  folding.assign(intervals, scan);
  dispersion.assign(intervals, folding.period);
  coherence.assign(intervals, folding.period);
  sizes.assign(series);
  nats = evidence_of_sizes() +
         std::max({scan.evidence, lagged.evidence, dispersion.evidence, coherence.evidence, 0.0});
}

}  // namespace beaconry
