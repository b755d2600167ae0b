#include "detect/intervals.h"

#include <algorithm>
#include <boost/sort/pdqsort/pdqsort.hpp>
#include <cmath>

namespace beaconry {

void Intervals::assign(std::span<const CheckIn> check_ins, Duration burst_gap) {
  in_order.clear();
  times.clear();
  dead_time = to_seconds(burst_gap);
  mean = deviation = median = least = most = 0;
  for (const CheckIn& c : check_ins)
    times.push_back(to_seconds(c.time - check_ins[0].time));
  for (std::size_t i = 1; i < times.size(); ++i)
    in_order.push_back(times[i] - times[i - 1]);
  sorted.assign(in_order.begin(), in_order.end());
  if (sorted.empty()) return;
  // Without a branch a comparison: intervals of people come in no order that could be guessed.
  boost::sort::pdqsort_branchless(sorted.begin(), sorted.end());
  const auto count = static_cast<double>(sorted.size());
  mean = times.back() / count;
  double squares = 0;
  for (const double x : sorted)
    squares += (x - mean) * (x - mean);
  deviation = std::sqrt(squares / count);
  median = quantile(sorted, 0.5);
  least = sorted.front();
  most = sorted.back();
}

double quantile(std::span<const double> sorted, double q) {
  if (sorted.empty()) return 0;
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

double logistic(double x) {
  constexpr double kFlat = 40;  // beyond, the value is 0 or 1 to double precision
  return 1 / (1 + std::exp(-std::clamp(x, -kFlat, kFlat)));
}

}  // namespace beaconry
