#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "detect/coherence.h"
#include "detect/dispersion.h"
#include "detect/folding.h"
#include "detect/interval_scan.h"
#include "detect/intervals.h"
#include "detect/settings.h"
#include "detect/size_profile.h"
#include "series/check_in.h"

namespace beaconry {

// Everything that is measured of one series, once; signals, sleep model and verdict read it.
// Kept and refilled: one a thread.
struct Evidence {
  std::size_t check_ins = 0;
  Intervals intervals;
  IntervalScan scan;    // of single intervals
  IntervalScan lagged;  // of sums of two or three, where these repeat better (alternation)
  unsigned lag = 1;     // how many intervals `lagged` sums; 1: none was better
  Folding folding;
  Dispersion dispersion;
  Coherence coherence;
  SizeProfile sizes;
  double nats = 0;  // the strongest evidence against chance, with that of the sizes

  void assign(std::span<const CheckIn> check_ins, const DetectionSettings& settings);

 private:
  void scan_sums();
  double evidence_of_sizes() const;
  std::vector<double> sums_;
};

}  // namespace beaconry
