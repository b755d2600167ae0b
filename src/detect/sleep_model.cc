#include "detect/sleep_model.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace beaconry {
namespace {

constexpr double kFixedRange = 0.03;  // relative: narrower, there is no jitter to speak of
constexpr double kLeastAlternation = -0.5;
constexpr double kLeastExplained = 0.5;
constexpr double kNarrow = 0.2;  // window widths up to here show the whole spread
constexpr double kSomeMissing = 0.1;
constexpr double kMostOfMedian = 2.3;  // ±100 % jitter ends at 2 medians
constexpr double kMostly = 0.95;
constexpr double kTrimmed = 0.02;  // of the intervals at each end: strays

// How unlikely somebody is to have typed a sleep, 0..0.5: its distance from the nearest number that
// people type, in the unit it is counted in, and a little more where that is typed less often.
double oddity(double seconds) {
  static constexpr double kOften[] = {1, 5, 10, 15, 30, 60};
  static constexpr double kSometimes[] = {2, 3, 4, 6, 8, 12, 20, 24, 25, 40, 45, 50, 75, 90};
  constexpr double kForSometimes = 0.01;
  double least = 0.5;
  for (const double unit : {1.0, 10.0, 60.0, 3600.0}) {
    for (const double typed : kOften) {
      least = std::min(least, std::abs(seconds - typed * unit) / seconds);
    }
    for (const double typed : kSometimes) {
      least = std::min(least, std::abs(seconds - typed * unit) / seconds + kForSometimes);
    }
  }
  return least;
}

// The intervals that one sleep of one jitter explains: those of the scan's window, or, where the
// window is only a part of a wide but bounded spread, all but the pauses. Empty where none does.
std::span<const double> jittered(const Evidence& e) {
  const std::span<const double> sorted(e.intervals.sorted);
  const double median = e.intervals.median;
  const auto up_to = [&](double most) {
    return static_cast<std::size_t>(std::upper_bound(sorted.begin(), sorted.end(), most) -
                                    sorted.begin());
  };
  const std::size_t bounded = up_to(kMostOfMedian * median);
  const bool wide = e.scan.width > kNarrow && e.folding.missing_share < kSomeMissing;
  if (wide && static_cast<double>(bounded) >= kMostly * static_cast<double>(sorted.size())) {
    return sorted.first(bounded);
  }
  if (e.folding.explained_share < kLeastExplained) return {};
  const auto begin = static_cast<std::size_t>(
      std::lower_bound(sorted.begin(), sorted.end(), e.scan.low) - sorted.begin());
  return sorted.subspan(begin, up_to(e.scan.high) - begin);
}

}  // namespace

Rhythm fit_sleep_model(const Evidence& e) {
  Rhythm r;
  const Folding& f = e.folding;
  r.coherence = e.coherence.resultant;
  r.episodes = e.dispersion.episodes;
  r.active_seconds = e.dispersion.active_seconds;
  r.missing_share = f.missing_share;
  if (f.period <= 0) return r;

  if (e.lag == 2 && e.coherence.lag1 < kLeastAlternation) {
    r.model = SleepModel::alternating;
    r.sleep_seconds = quantile(e.intervals.sorted, 0.25);
    r.second_sleep_seconds = quantile(e.intervals.sorted, 0.75);
    return r;
  }
  if (f.second_period > 0) {
    r.model = SleepModel::mixture;
    r.sleep_seconds = f.period;
    r.second_sleep_seconds = f.second_period;
    return r;
  }
  const std::span<const double> inside = jittered(e);
  if (inside.empty()) {
    r.missing_share = 0;  // without a rhythm nothing is expected
    return r;
  }
  r.intervals = static_cast<std::uint32_t>(inside.size());
  const double least = quantile(inside, kTrimmed), most = quantile(inside, 1 - kTrimmed);
  if (e.coherence.locked) {
    r.model = SleepModel::clock_locked;
    r.sleep_seconds = e.coherence.period;
    r.jitter_percent = 100 * e.coherence.phase_spread / e.coherence.period;
    return r;
  }
  if (most - least <= kFixedRange * f.period) {
    r.model = SleepModel::fixed;
    r.sleep_seconds = f.period;
    r.jitter_percent = 100 * (most - least) / 2 / f.period;
    return r;
  }
  // A uniform distribution goes on beyond its quantiles.
  const double beyond = (most - least) * kTrimmed / (1 - 2 * kTrimmed);
  const double low = std::max(least - beyond, 0.0), high = most + beyond;
  // Which end, or the middle, would somebody have typed?
  const double middle = (low + high) / 2;
  const double by_high = oddity(high), by_low = oddity(low), by_middle = oddity(middle);
  // A jitter beyond the sleep itself is nobody's: then the sleep is not at the low end.
  const bool may_lengthen = high - low <= low;
  if (by_high <= by_middle && (by_high <= by_low || !may_lengthen)) {
    r.model = SleepModel::shorten;
    r.sleep_seconds = high;
    r.jitter_percent = 100 * (high - low) / high;
  } else if (by_middle <= by_low || !may_lengthen) {
    r.model = SleepModel::around;
    r.sleep_seconds = middle;
    r.jitter_percent = 100 * (high - low) / 2 / middle;
  } else {
    r.model = SleepModel::lengthen;
    r.sleep_seconds = low;
    r.jitter_percent = 100 * (high - low) / low;
  }
  return r;
}

std::string describe(const Rhythm& r) {
  const auto words = [](double seconds) {
    return to_words(Duration{static_cast<std::int64_t>(seconds * 1e6)});
  };
  char jitter[32];
  std::snprintf(jitter, sizeof jitter, "%.0f %%", r.jitter_percent);
  const std::string sleep = "sleep " + words(r.sleep_seconds) + ", jitter " + jitter;
  const bool telling = r.intervals >= kLeastToName;
  switch (r.model) {
    case SleepModel::none:
      return "no sleep model fits";
    case SleepModel::fixed:
      return "sleep " + words(r.sleep_seconds) + " without jitter";
    case SleepModel::shorten:
      return sleep + (telling ? ", Cobalt-Strike-like (jitter shortens)" : " (shortens)");
    case SleepModel::lengthen:
      return sleep + (telling ? ", Sliver-like (jitter lengthens)" : " (lengthens)");
    case SleepModel::around:
      return sleep + (telling ? ", Empire-like (jitter both ways)" : " (both ways)");
    case SleepModel::alternating:
      return "alternates " + words(r.sleep_seconds) + " and " + words(r.second_sleep_seconds) +
             ", njRAT-like";
    case SleepModel::mixture:
      return "two rhythms: " + words(r.sleep_seconds) + " and " + words(r.second_sleep_seconds);
    case SleepModel::clock_locked:
      return "clock-locked schedule, every " + words(r.sleep_seconds);
  }
  return {};
}

}  // namespace beaconry
