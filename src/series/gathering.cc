#include "series/gathering.h"

namespace beaconry {

void gather_series(std::vector<CheckIn>& series, Timestamp from, Duration gap) {
  const auto earlier = [](const CheckIn& a, const CheckIn& b) { return a.time < b.time; };
  // Logs come nearly sorted: as a rule two sorted runs, one of each thread.
  const auto sorted_until = std::is_sorted_until(series.begin(), series.end(), earlier);
  if (sorted_until != series.end()) {
    if (std::is_sorted(sorted_until, series.end(), earlier)) {
      std::inplace_merge(series.begin(), sorted_until, series.end(), earlier);
    } else {
      std::stable_sort(series.begin(), series.end(), earlier);
    }
  }
  const auto first = std::lower_bound(series.begin(), series.end(), from,
                                      [](const CheckIn& c, Timestamp t) { return c.time < t; });
  series.erase(series.begin(), first);
  std::size_t kept = 0;
  for (std::size_t i = 1; i < series.size(); ++i) {
    if (repeats(series[kept], series[i])) continue;
    if (gathers(series[kept], series[i], gap)) {
      gather(series[kept], series[i]);
    } else {
      series[++kept] = series[i];
    }
  }
  if (!series.empty()) series.resize(kept + 1);
}

}  // namespace beaconry
