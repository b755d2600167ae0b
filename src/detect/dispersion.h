#pragma once
#include <cstdint>
#include <vector>

#include "detect/intervals.h"

namespace beaconry {

// Index of dispersion: variance over mean of the number of check-ins in windows of 4, 8 and 16
// median intervals. About 1 for memoryless arrivals, above for people, and for a sleep loop it
// tends to the squared coefficient of variation of its intervals (Cox and Lewis 1966, §4.6),
// whatever their order. Pauses far longer than the rhythm are cut out and counted.
struct Dispersion {
  double value = 1;            // of the most telling window length, corrected for dead time
  double evidence = 0;         // nats against memoryless arrivals; 0 where value >= 1
  double pauses_share = 0;     // of the intervals that were cut out as pauses
  std::uint32_t episodes = 0;  // stretches of activity between pauses
  double active_seconds = 0;   // in all episodes

  // Refills *this. `period`: the rhythm in seconds.
  void assign(const Intervals& intervals, double period);

 private:
  std::vector<double> active_times_;
};

}  // namespace beaconry
