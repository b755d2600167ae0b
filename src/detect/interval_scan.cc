#include "detect/interval_scan.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "detect/intervals.h"

namespace beaconry {
namespace {

constexpr double kWidths[] = {0.03, 0.10, 0.25, 0.60};
constexpr double kWidestOfSums = 0.10;
// Intervals of one exact length still differ by scheduling and by the clock's grain.
constexpr double kGrain = 0.01;  // seconds

// Largest density of ln X for X the sum of `lag` equal exponentials: k^k e^-k / (k-1)! at x = k.
double densest(unsigned lag) {
  constexpr double kDensest[] = {0.3679, 0.5413, 0.6721, 0.7815};
  return kDensest[std::min<std::size_t>(lag, std::size(kDensest)) - 1];
}

}  // namespace

double divergence(double share, double chance) {
  if (share <= chance) return 0;
  double sum = share * std::log(share / chance);
  if (share < 1) sum += (1 - share) * std::log((1 - share) / (1 - chance));
  return sum;
}

IntervalScan scan_intervals(std::span<const double> sorted, double dead_time, unsigned lag) {
  IntervalScan best;
  if (sorted.empty()) return best;
  best.evidence = -std::numeric_limits<double>::infinity();
  const auto count = static_cast<double>(sorted.size());
  const double search = std::log(4 * count);
  for (const double width : kWidths) {
    if (lag > 1 && width > kWidestOfSums) break;
    // A window grows while it holds more than the best so far; it never has to shrink.
    std::size_t most = 0, most_begin = 0;
    for (std::size_t begin = 0; begin + most < sorted.size(); ++begin) {
      const double low = std::max(sorted[begin] - dead_time, 0.0);
      const double high = low * (1 + width) + dead_time + kGrain;
      while (begin + most < sorted.size() && sorted[begin + most] <= high) {
        ++most;
        most_begin = begin;
      }
    }
    const double share = static_cast<double>(most) / count;
    const double excess = divergence(share, std::min(densest(lag) * std::log1p(width), 0.9));
    const double evidence = count * excess - search;
    if (evidence > best.evidence) {
      const auto inside = sorted.subspan(most_begin, most);
      best = {inside.front(), inside.back(), quantile(inside, 0.5), width, share, excess, evidence};
    }
  }
  return best;
}

}  // namespace beaconry
