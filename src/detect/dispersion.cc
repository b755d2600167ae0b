#include "detect/dispersion.h"

#include <algorithm>
#include <cmath>

namespace beaconry {
namespace {

constexpr double kPause = 12;             // intervals beyond that many rhythms are pauses ...
constexpr double kMostPausesShare = 0.1;  // ... unless there are so many that they are the rhythm
constexpr std::size_t kLeastWindows = 8;

}  // namespace

void Dispersion::assign(const Intervals& intervals, double period) {
  value = 1;
  evidence = pauses_share = active_seconds = 0;
  episodes = intervals.times.empty() ? 0 : 1;
  if (intervals.size() < 2 || intervals.median <= 0) return;

  const double pause = kPause * std::max(period, intervals.median);
  const auto first_pause =
      std::upper_bound(intervals.sorted.begin(), intervals.sorted.end(), pause);
  const auto pauses = static_cast<std::size_t>(intervals.sorted.end() - first_pause);
  pauses_share = static_cast<double>(pauses) / static_cast<double>(intervals.size());
  const bool cut = pauses_share <= kMostPausesShare;
  if (cut) episodes += static_cast<std::uint32_t>(pauses);

  active_times_.clear();
  active_times_.push_back(0);
  for (const double x : intervals.in_order) {
    active_times_.push_back(active_times_.back() + (cut && x > pause ? intervals.median : x));
  }
  active_seconds = active_times_.back();
  const double mean = active_seconds / static_cast<double>(intervals.size());
  // Gathering at the burst gap alone makes dense arrivals look even.
  const double alive = std::max(mean - intervals.dead_time, 0.01 * mean) / mean;

  for (const double medians : {4.0, 8.0, 16.0}) {
    const double window = medians * intervals.median;
    const double fit = std::floor(active_seconds / window);
    if (fit < static_cast<double>(kLeastWindows)) break;
    // From check-in to check-in: most windows of a series with long gaps are empty and add nothing.
    double sum = 0, squares = 0, inside = 0;
    const double per_window = 1 / window;
    const auto windows = static_cast<std::int64_t>(fit);
    std::int64_t current = 0;
    for (const double t : active_times_) {
      const auto at = static_cast<std::int64_t>(t * per_window);
      if (at >= windows) break;
      if (at != current) {
        squares += inside * inside;
        current = at;
        inside = 0;
      }
      ++inside;
      ++sum;
    }
    squares += inside * inside;
    const double average = sum / fit;
    if (average <= 0) continue;
    // A count of a perfect rhythm still differs by one at the window's edges.
    const double variance = std::max(squares / fit - average * average, 1.0 / 12) * fit / (fit - 1);
    const double index = variance / average / (alive * alive);
    if (index >= 1) continue;
    // Lower tail of chi-squared over its degrees of freedom (Chernoff).
    const double nats = fit / 2 * (index - 1 - std::log(index));
    if (nats > evidence) evidence = nats, value = index;
  }
}

}  // namespace beaconry
