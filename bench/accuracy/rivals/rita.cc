#include "accuracy/rivals/rita.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "accuracy/rivals/numbers.h"

namespace beaconry::accuracy {
namespace {

constexpr std::size_t kLeastTimes = 4;
constexpr std::size_t kStrobe = 86400;
constexpr std::size_t kLeastBins = 6;
constexpr std::size_t kLeastBinsForModes = 11;
constexpr double kLongestRunBins = 12;

double three_places(double value) {
  return std::round(value * 1000) / 1000;
}

}  // namespace

double rita_statistic(std::span<const double> values, double default_mad_score) {
  if (values.empty()) return 0;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const std::span<const double> all(sorted);
  const std::size_t half = sorted.size() / 2;
  const double q1 = sorted_median(all.first(half));
  const double q2 = sorted_median(all);
  const double q3 = sorted_median(all.last(half));
  double skew = 0;
  if (q3 - q1 >= 10 && q2 != q1 && q2 != q3) skew = (q1 + q3 - 2 * q2) / (q3 - q1);
  double mad_score = default_mad_score;
  if (q2 >= 1) {
    std::vector<double> deviations;
    for (const double value : sorted)
      deviations.push_back(std::abs(value - q2));
    mad_score = std::max(0.0, (q2 - median_of(std::move(deviations))) / q2);
  }
  return three_places(0.5 * (1 - std::abs(skew) + mad_score));
}

double rita_histogram(const std::array<std::uint32_t, kRitaBins>& bins) {
  std::vector<double> counts(bins.begin(), bins.end());
  const double mean = mean_of(counts);
  if (mean <= 0) return 0;
  const double cv = deviation_of(counts, mean) / mean;
  const double cv_score = cv > 1 ? 0 : 1 - cv;

  double modes_score = 0;
  const auto filled = static_cast<std::size_t>(
      std::count_if(bins.begin(), bins.end(), [](std::uint32_t bin) { return bin > 0; }));
  if (filled >= kLeastBinsForModes) {
    const double largest = *std::max_element(counts.begin(), counts.end());
    const double width = std::ceil(0.05 * largest);
    std::map<long, int> buckets;
    for (const double count : counts) {
      if (count > 0) ++buckets[std::lround(std::floor(count / width))];
    }
    int first = 0, second = 0;
    for (const auto& [bucket, count] : buckets) {
      if (count > first) {
        second = first;
        first = count;
      } else if (count > second) {
        second = count;
      }
    }
    modes_score = std::min(1.0, static_cast<double>(first + second) /
                                    static_cast<double>(std::max<std::size_t>(filled - 1, 1)));
  }
  return three_places(std::max(cv_score, modes_score));
}

double rita_duration(const std::array<std::uint32_t, kRitaBins>& bins, double covered_seconds) {
  const auto filled = static_cast<std::size_t>(
      std::count_if(bins.begin(), bins.end(), [](std::uint32_t bin) { return bin > 0; }));
  if (filled < kLeastBins) return 0;
  std::size_t longest = 0, run = 0;
  // Twice around, for runs that go over midnight.
  for (std::size_t i = 0; i < 2 * kRitaBins; ++i) {
    run = bins[i % kRitaBins] > 0 ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  longest = std::min(longest, kRitaBins);
  const double coverage = std::min(1.0, covered_seconds / kRitaWindowSeconds);
  return three_places(
      std::max(coverage, std::min(1.0, static_cast<double>(longest) / kLongestRunBins)));
}

RitaScore rita_score(std::span<const double> times, std::span<const double> sizes, double newest) {
  RitaScore result;
  const double last = std::floor(newest);
  const double first = last - kRitaWindowSeconds;
  std::vector<double> seconds, window_sizes;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double second = std::floor(times[i]);
    if (second < first || second > last) continue;
    seconds.push_back(second);
    window_sizes.push_back(sizes[i]);
  }
  if (seconds.size() >= kStrobe) return result;
  std::sort(seconds.begin(), seconds.end());
  seconds.erase(std::unique(seconds.begin(), seconds.end()), seconds.end());
  if (seconds.size() < kLeastTimes) return result;
  result.qualifies = true;

  std::vector<double> intervals;
  for (std::size_t i = 1; i < seconds.size(); ++i)
    intervals.push_back(seconds[i] - seconds[i - 1]);
  std::array<std::uint32_t, kRitaBins> bins{};
  for (const double second : seconds) {
    const auto bin = static_cast<std::size_t>(
        (second - first) / (kRitaWindowSeconds / static_cast<double>(kRitaBins)));
    ++bins[std::min(bin, kRitaBins - 1)];
  }
  result.timing = rita_statistic(intervals, 1);
  result.size = rita_statistic(window_sizes, 0);
  result.histogram = rita_histogram(bins);
  result.duration = rita_duration(bins, seconds.back() - seconds.front());
  result.score =
      three_places((result.timing + result.size + result.histogram + result.duration) / 4);
  return result;
}

}  // namespace beaconry::accuracy
