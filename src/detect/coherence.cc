#include "detect/coherence.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace beaconry {
namespace {

constexpr double kSearch = 3;             // nats paid for fitting period and phase
constexpr std::size_t kLeastToLock = 20;  // intervals; fewer cannot tell a walk from a lock
// Phases of a walk of n steps around their fitted line spread by about sqrt(n / 15) deviations
// of an interval; those of a lock by 1 / sqrt(2).
constexpr double kLockedSpread = 0.9;
constexpr double kGrainOfClock = 0.002;  // of the period: below, both are just "fixed"

// cos(2 pi x), to 1e-7: for a mean over a series that is plenty, and libm's costs four times as
// much.
double cosine_of_turns(double x) {
  // By cos(2 u) = 2 cos(u)^2 - 1 with |u| <= pi / 2, where six terms of Taylor's series suffice.
  const double u = std::numbers::pi * (x - nearest_integer(x));
  const double q = u * u;
  const double half =
      1 + q * (-1.0 / 2 +
               q * (1.0 / 24 +
                    q * (-1.0 / 720 + q * (1.0 / 40320 + q * (-1.0 / 3628800 + q / 479001600)))));
  return 2 * half * half - 1;
}

}  // namespace

void Coherence::assign(const Intervals& intervals, double estimate) {
  *this = {};
  if (estimate <= 0 || intervals.size() < 3) return;
  const std::size_t points = intervals.times.size();
  double index = 0, sum_k = 0, sum_kk = 0, sum_t = 0, sum_kt = 0;
  for (std::size_t i = 0; i < points; ++i) {
    if (i > 0) index += std::max(1.0, nearest_integer(intervals.in_order[i - 1] / estimate));
    const double t = intervals.times[i];
    sum_k += index;
    sum_kk += index * index;
    sum_t += t;
    sum_kt += index * t;
  }
  const auto n = static_cast<double>(points);
  const double spread_k = sum_kk - sum_k * sum_k / n;
  if (spread_k <= 0) return;
  period = (sum_kt - sum_k * sum_t / n) / spread_k;
  if (!(period > 0)) {
    period = 0;
    return;
  }
  const double start = (sum_t - period * sum_k) / n;

  double cosines = 0, squares = 0;
  double mean_step = 0, squared_steps = 0, crossed_steps = 0, previous_step = 0;
  std::size_t steps = 0;
  index = 0;
  for (std::size_t i = 0; i < points; ++i) {
    if (i > 0) {
      const double x = intervals.in_order[i - 1];
      const double multiple = std::max(1.0, nearest_integer(x / estimate));
      index += multiple;
      if (multiple == 1) {
        const double step = x - period;
        mean_step += step;
        squared_steps += step * step;
        if (steps > 0) crossed_steps += step * previous_step;
        previous_step = step;
        ++steps;
      }
    }
    const double residual = intervals.times[i] - start - period * index;
    squares += residual * residual;
    cosines += cosine_of_turns(residual / period);
  }
  resultant = std::max(cosines / n, 0.0);
  evidence = std::max(n * resultant * resultant - kSearch, 0.0);
  phase_spread = std::sqrt(squares / n);
  if (steps >= 3 && squared_steps > 0) {
    const auto m = static_cast<double>(steps);
    const double mean = mean_step / m;
    const double variance = squared_steps / m - mean * mean;
    if (variance > 0) lag1 = std::clamp((crossed_steps / m - mean * mean) / variance, -1.0, 1.0);
    const double deviation = std::sqrt(std::max(variance, 0.0));
    locked = intervals.size() >= kLeastToLock && deviation > kGrainOfClock * period &&
             phase_spread < kLockedSpread * deviation && resultant > 0.5;
  }
}

}  // namespace beaconry
