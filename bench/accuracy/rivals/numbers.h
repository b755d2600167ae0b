#pragma once
#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

namespace beaconry::accuracy {

inline double mean_of(std::span<const double> values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Of the whole population.
inline double deviation_of(std::span<const double> values, double mean) {
  if (values.empty()) return 0;
  double sum = 0;
  for (const double value : values)
    sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

// Of sorted values; the mean of the middle two of an even number.
inline double sorted_median(std::span<const double> sorted) {
  if (sorted.empty()) return 0;
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

inline double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return sorted_median(values);
}

}  // namespace beaconry::accuracy
