#include "detect/settings.h"

#include <cmath>
#include <cstdio>
#include <string>

namespace beaconry {
namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

auto refuse(const char* key, std::string cause) {
  return fail(ErrorKind::usage, "use", key, std::move(cause));
}

}  // namespace

Result<void> check(const DetectionSettings& settings) {
  struct Share {
    const char* key;
    double value;
  };
  const Share weights[] = {{"cv_weight", settings.cv_weight},
                           {"periodicity_weight", settings.periodicity_weight},
                           {"jitter_weight", settings.jitter_weight},
                           {"size_weight", settings.size_weight}};
  const Share shares[] = {{"periodicity_threshold", settings.periodicity_threshold},
                          {"alert_threshold", settings.alert_threshold}};
  const Share positives[] = {{"cv_threshold", settings.cv_threshold},
                             {"jitter_threshold", settings.jitter_threshold_seconds}};
  // Comparisons are written so that NaN fails them.
  for (const Share& share : shares) {
    if (!(share.value >= 0 && share.value <= 1)) {
      return refuse(share.key, "must be from 0 to 1, is " + number(share.value));
    }
  }
  for (const Share& share : positives) {
    if (!(share.value > 0) || !std::isfinite(share.value)) {
      return refuse(share.key, "must be above 0, is " + number(share.value));
    }
  }
  double sum = 0;
  for (const Share& weight : weights) {
    if (!(weight.value >= 0 && weight.value <= 1)) {
      return refuse(weight.key, "must be from 0 to 1, is " + number(weight.value));
    }
    sum += weight.value;
  }
  if (std::abs(sum - 1) > kWeightTolerance) {
    return refuse("cv_weight, periodicity_weight, jitter_weight, size_weight",
                  "must sum to 1, sum to " + number(sum));
  }
  if (settings.burst_gap < Duration::zero()) return refuse("burst_gap", "must not be negative");
  const DetectionGates& gates = settings.gates;
  if (gates.min_beacon_interval && gates.max_beacon_interval &&
      *gates.min_beacon_interval > *gates.max_beacon_interval) {
    return refuse("min_beacon_interval", "is above max_beacon_interval: nothing could pass");
  }
  return {};
}

}  // namespace beaconry
