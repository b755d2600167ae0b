#pragma once
#include "detect/intervals.h"

namespace beaconry {

// Whether check-ins keep to a clock. Each check-in is given the number of periods since the
// first; the line through (number, time) is fitted, and what remains are the phases.
//
// A schedule (cron, NTP) has phases that never drift: resultant length near 1, and intervals whose
// deviations cancel. A sleep loop is a renewal process: its phase walks away.
struct Coherence {
  double period = 0;        // of the fitted line, seconds
  double resultant = 0;     // mean cosine of the phases, 0..1: Rayleigh's R
  double evidence = 0;      // n R^2 less the search, nats; 0 below
  double phase_spread = 0;  // standard deviation of the phases, seconds
  double lag1 = 0;          // autocorrelation of successive intervals, -1..1
  bool locked = false;      // a schedule rather than a loop

  // `period`: a first estimate in seconds, good to half a jitter. 0 gives nothing.
  void assign(const Intervals& intervals, double estimate);
};

}  // namespace beaconry
