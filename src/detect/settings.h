#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

// Combined scores from which a severity holds; below `medium` nothing alerts by default.
struct SeverityLadder {
  double medium = 0.7;
  double high = 0.8;
  double critical = 0.9;
};

// What shuts a series out whatever its score. Unset gates let everything pass; a set one is
// honoured, and who applies it says what it hid.
struct DetectionGates {
  std::optional<std::uint64_t> min_connections;  // check-ins, bursts included
  std::optional<Duration> min_duration;          // from the first check-in to the last
  std::optional<Duration> time_window;           // only this long before the newest event counts
  std::optional<Duration> min_beacon_interval;   // of the detected interval
  std::optional<Duration> max_beacon_interval;
};

// The detector's knobs, under the names and with the defaults that users know from the
// configuration's section `detection`. Plain data: whoever owns one may change it.
struct DetectionSettings {
  double cv_threshold = 0.15;           // intervals that vary less than this look like a beacon's
  double periodicity_threshold = 0.7;   // 0..1: a periodicity above this counts as one
  double jitter_threshold_seconds = 5;  // largest acceptable deviation from the median interval
  double alert_threshold = 0.7;         // combined scores from here on are beacons

  // What each signal may add to the combined score. REQUIRES: each in 0..1, together 1.
  double cv_weight = 0.35;
  double periodicity_weight = 0.35;
  double jitter_weight = 0.15;
  double size_weight = 0.15;

  DetectionGates gates;
  Duration burst_gap = std::chrono::seconds{1};  // activities closer than this are one check-in
  SeverityLadder severity;
};

// How far the weights' sum may be from 1.
constexpr double kWeightTolerance = 1e-6;

// Refuses what no detector can work with: numbers that are not finite or out of range, weights that
// do not sum to 1, an empty interval between the gates. The error's subject is the key.
Result<void> check(const DetectionSettings& settings);

}  // namespace beaconry
