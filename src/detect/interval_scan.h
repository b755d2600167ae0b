#pragma once
#include <span>

namespace beaconry {

// Interval scan statistic: the narrow window that holds surprisingly many intervals.
//
// For relative widths w of 3, 10, 25 and 60 % find the window [a, a(1+w)] with most of the n
// intervals. Under the null hypothesis of memoryless or broader arrivals an interval falls into
// the best placed window with probability at most p(w) = ln(1+w)/e, since the density of the
// logarithm of an exponential variable never exceeds 1/e; broad log-normal arrivals stay below.
// The binomial tail is bounded by Chernoff: P(K >= k) <= exp(-n D(k/n || p)), with D the
// Kullback-Leibler divergence of two Bernoulli variables; windows and places tried are paid for
// by ln(4 n).
struct IntervalScan {
  double low = 0, high = 0;  // the window's ends, seconds; 0 where there are no intervals
  double period = 0;         // median of the intervals inside, seconds
  double width = 0;          // relative width tried: 0.03 ... 0.6
  double share = 0;          // of all intervals, 0..1
  double excess = 0;         // D, nats an interval
  double evidence = 0;       // nats, after the correction for the search; may be negative
};

// `sorted` ascending, in seconds. `dead_time`: no interval can be shorter, so it is taken off
// before widths are compared. Intervals that are sums of `lag` sleeps have a narrower null (a
// gamma's), which is allowed for, and only the two narrow windows are tried: what alternates comes
// back to one sum, while even arrivals of any kind have sums that are alike.
IntervalScan scan_intervals(std::span<const double> sorted, double dead_time, unsigned lag = 1);

// Bernoulli divergence D(share || chance) in nats where share > chance, else 0.
double divergence(double share, double chance);

}  // namespace beaconry
