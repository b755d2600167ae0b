#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"
#include "series/check_in.h"

namespace beaconry {

// The times between the check-ins of a series, start to start, in seconds. Kept and refilled, so
// that scoring many series allocates rarely.
struct Intervals {
  std::vector<double> in_order;
  std::vector<double> sorted;  // ascending
  std::vector<double> times;   // of the check-ins, seconds since the first
  double dead_time = 0;        // no interval can be shorter than the burst gap
  double mean = 0, deviation = 0, median = 0, least = 0, most = 0;

  // REQUIRES: check_ins in time order. Fewer than two leave everything empty and zero.
  void assign(std::span<const CheckIn> check_ins, Duration burst_gap);
  std::size_t size() const { return in_order.size(); }
};

// The q-quantile (0..1) of sorted values with linear interpolation (Hyndman and Fan's type 7);
// 0 for none.
double quantile(std::span<const double> sorted, double q);

// 1 / (1 + exp(-x)), finite for every x.
double logistic(double x);

// x rounded to an integer, halves to even. REQUIRES |x| < 2^51. Without a call to the C library,
// which on baseline x86-64 is what std::round is.
inline double nearest_integer(double x) {
  constexpr double kShift = 6755399441055744.0;  // 1.5 * 2^52: what is added loses its fraction
  return (x + kShift) - kShift;
}

}  // namespace beaconry
