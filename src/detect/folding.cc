#include "detect/folding.h"

#include <algorithm>
#include <cmath>

namespace beaconry {
namespace {

// A multiple of the period counts as missed check-ins only while the slack that the window leaves
// covers less than this share of the period: wider, every interval is near some multiple.
constexpr double kMostSlack = 0.35;
constexpr double kMostMissed = 12;  // more than that in a row is a pause, not a loss
// A second rhythm must hold this share of all intervals and be this sure.
constexpr double kLeastSecondShare = 0.15;
constexpr double kLeastSecondEvidence = 12;
// Two wide windows beside each other are one wide spread, not two rhythms.
constexpr double kWidestOfTwo = 0.25;

constexpr double kUsual = 0.9;

}  // namespace

void Folding::assign(const Intervals& intervals, const IntervalScan& scan) {
  period = scan.period;
  second_period = explained_share = second_share = missing_share = relative_spread = 0;
  deviations_.clear();
  usual_deviation = 0;
  rest_.clear();
  if (intervals.sorted.empty() || period <= 0) return;

  const double slack = std::max(scan.high - period, period - scan.low) + 0.01;
  double explained = 0, visits = 0, missed = 0, squares = 0;
  for (const double x : intervals.sorted) {
    const double multiple = nearest_integer(x / period);
    double deviation = std::abs(x - period);
    bool fits = x >= scan.low && x <= scan.high;
    if (!fits && multiple >= 2 && multiple <= kMostMissed) {
      // Jitter of several sleeps adds like a random walk.
      const double room = slack * std::sqrt(multiple);
      const double off = std::abs(x - multiple * period);
      if (room < kMostSlack * period && off <= room) {
        fits = true;
        missed += multiple - 1;
        deviation = off / std::sqrt(multiple);
      }
    }
    if (fits) {
      ++explained;
      ++visits;
      squares += deviation * deviation;
      deviations_.push_back(std::min(deviation, std::abs(x - intervals.median)));
    } else {
      rest_.push_back(x);
    }
  }
  const auto count = static_cast<double>(intervals.size());
  IntervalScan second;
  if (scan.width <= kWidestOfTwo && rest_.size() >= 4) {
    second = scan_intervals(rest_, intervals.dead_time);
    const double held = second.share * static_cast<double>(rest_.size());
    if (second.width <= kWidestOfTwo && second.evidence >= kLeastSecondEvidence &&
        held >= kLeastSecondShare * count) {
      second_period = second.period;
      second_share = held / count;
    }
  }
  for (const double x : rest_) {
    double deviation = std::abs(x - intervals.median);
    if (second_period > 0 && x >= second.low && x <= second.high) {
      deviation = std::abs(x - second_period) * period / second_period;
      ++explained;
      squares += deviation * deviation;
    }
    deviations_.push_back(deviation);
  }
  const auto usual =
      deviations_.begin() +
      static_cast<std::ptrdiff_t>(kUsual * static_cast<double>(deviations_.size() - 1));
  std::nth_element(deviations_.begin(), usual, deviations_.end());
  usual_deviation = *usual;
  explained_share = explained / count;
  missing_share = visits + missed > 0 ? missed / (visits + missed) : 0;
  if (explained > 0) relative_spread = std::sqrt(squares / explained) / period;
}

}  // namespace beaconry
