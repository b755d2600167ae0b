#pragma once
#include <span>

namespace beaconry::accuracy {

// The score of the system that this project succeeds, restated from its published formulas. Only
// for comparison; nothing of Beaconry uses it.
struct PredecessorOptions {
  double cv_threshold = 0.15;
  double jitter_threshold_seconds = 5;
  double least_interval_seconds = 10;
  double most_interval_seconds = 86400;
  double size_threshold = 0.25;
  double beacon_at = 0.7;
  std::size_t least_events = 10;
  double least_duration_seconds = 300;
};

struct PredecessorScore {
  double cv = 0;
  double periodicity = 0;
  double jitter = 0;
  double size = 0.5;
  double combined = 0;
  bool is_beacon = false;
};

// Scores the events of one window: their times in seconds, ascending, and their sizes in bytes.
PredecessorScore predecessor_score(std::span<const double> times, std::span<const double> sizes,
                                   const PredecessorOptions& options = {});

// Its parts, on intervals in seconds; each 0..1.
double predecessor_cv(std::span<const double> values, double threshold);
double predecessor_periodicity(std::span<const double> intervals,
                               const PredecessorOptions& options);
double predecessor_jitter(std::span<const double> intervals, const PredecessorOptions& options);

}  // namespace beaconry::accuracy
