#include "accuracy/rivals/predecessor.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <unsupported/Eigen/FFT>
#include <vector>

#include "accuracy/rivals/numbers.h"

namespace beaconry::accuracy {
namespace {

// The height of the highest inner peak of the intervals' spectrum, the spectrum scaled to a largest
// value of one, times the peak's ratio to the second one up to three.
double spectral(std::span<const double> intervals) {
  if (intervals.size() < 4) return 0;
  const double mean = mean_of(intervals);
  std::vector<double> centred;
  for (const double interval : intervals)
    centred.push_back(interval - mean);
  std::vector<std::complex<double>> spectrum;
  Eigen::FFT<double>().fwd(spectrum, centred);
  std::vector<double> heights;
  for (std::size_t i = 1; i < (intervals.size() + 1) / 2; ++i) {
    heights.push_back(std::abs(spectrum[i]));
  }
  if (heights.size() < 3) return 0;
  const double largest = *std::max_element(heights.begin(), heights.end());
  if (largest <= 1e-9) return 0;
  double first = 0, second = 0;
  for (std::size_t i = 1; i + 1 < heights.size(); ++i) {
    const double height = heights[i];
    if (height <= heights[i - 1] || height <= heights[i + 1]) continue;
    if (height > first) {
      second = first;
      first = height;
    } else if (height > second) {
      second = height;
    }
  }
  const double ratio = second > 0 ? std::min(3.0, first / second) : 3.0;
  return std::min(1.0, first / largest * ratio);
}

}  // namespace

double predecessor_cv(std::span<const double> values, double threshold) {
  const double mean = mean_of(values);
  if (values.empty() || mean <= 0) return 0;
  const double cv = deviation_of(values, mean) / mean;
  // With an exponent this large the original's exp() overflows; the limit is 0 all the same.
  return 1 / (1 + std::exp(std::min(700.0, 10 / threshold * (cv - threshold))));
}

double predecessor_periodicity(std::span<const double> intervals,
                               const PredecessorOptions& options) {
  if (intervals.empty()) return 0;
  const double median = median_of({intervals.begin(), intervals.end()});
  const double reach = std::max(options.cv_threshold * median, options.jitter_threshold_seconds);
  const auto near = std::count_if(intervals.begin(), intervals.end(), [&](double interval) {
    return std::abs(interval - median) <= reach;
  });
  const double count = static_cast<double>(intervals.size());
  const double consistency = static_cast<double>(near) / count;
  const double trust = std::min(1.0, std::max(0.0, (count - 4) / 16));
  return std::max(consistency, spectral(intervals)) * trust;
}

double predecessor_jitter(std::span<const double> intervals, const PredecessorOptions& options) {
  if (intervals.empty()) return 0;
  const double median = median_of({intervals.begin(), intervals.end()});
  double worst = 0;
  for (const double interval : intervals)
    worst = std::max(worst, std::abs(interval - median));
  const double reach = std::max(options.jitter_threshold_seconds, 0.05 * median);
  return worst <= reach ? 1 - worst / (2 * reach) : 0.5 * std::exp(-(worst - reach) / reach);
}

PredecessorScore predecessor_score(std::span<const double> times, std::span<const double> sizes,
                                   const PredecessorOptions& options) {
  PredecessorScore score;
  std::vector<double> intervals;
  for (std::size_t i = 1; i < times.size(); ++i) {
    const double interval = times[i] - times[i - 1];
    if (interval >= options.least_interval_seconds && interval <= options.most_interval_seconds) {
      intervals.push_back(interval);
    }
  }
  if (times.size() < options.least_events ||
      times.back() - times.front() < options.least_duration_seconds || intervals.empty()) {
    return score;
  }
  score.cv = predecessor_cv(intervals, options.cv_threshold);
  score.periodicity = predecessor_periodicity(intervals, options);
  score.jitter = predecessor_jitter(intervals, options);
  if (sizes.size() >= 5) score.size = predecessor_cv(sizes, options.size_threshold);
  score.combined =
      0.35 * score.cv + 0.35 * score.periodicity + 0.15 * score.jitter + 0.15 * score.size;
  score.is_beacon = score.combined >= options.beacon_at;
  return score;
}

}  // namespace beaconry::accuracy
