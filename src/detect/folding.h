#pragma once
#include <vector>

#include "detect/interval_scan.h"
#include "detect/intervals.h"

namespace beaconry {

// How a rhythm explains the intervals of a series: those near its period, those near a multiple
// of it (check-ins that were missed), and those of a second rhythm.
struct Folding {
  double period = 0;           // seconds
  double second_period = 0;    // 0: one rhythm is enough
  double explained_share = 0;  // of the intervals, by period, multiples and second rhythm
  double second_share = 0;
  double missing_share = 0;    // check-ins missed of those expected in the explained intervals
  double relative_spread = 0;  // root mean square deviation of the explained, over the period
  // The deviation that nine of ten intervals stay within, seconds: from what explains an interval,
  // or from the median if that is near.
  double usual_deviation = 0;

  // Refills *this from the intervals and the window that scan_intervals() found in them.
  void assign(const Intervals& intervals, const IntervalScan& scan);

 private:
  std::vector<double> rest_, deviations_;
};

}  // namespace beaconry
