#include <algorithm>
#include <cmath>

#include "detect/signal.h"

// Size consistency: the share of check-ins that have the commonest size, in the direction where it
// is larger. An implant with nothing to do says the same each time. The raw value is that share.
namespace beaconry::signals {
namespace {

constexpr double kUndecided = 0.5;  // as the predecessor scores what it can't tell
constexpr std::uint32_t kLeastKnown = 5;
constexpr double kHalfShare = 0.35;
constexpr double kSteepness = 9;

Measurement measure(const Evidence& e, const DetectionSettings&) {
  Measurement m;
  m.threshold = kHalfShare;
  m.score = kUndecided;
  double share = -1;
  for (const SizeMode* mode : {&e.sizes.out, &e.sizes.in}) {
    if (mode->known < kLeastKnown || mode->bytes == 0) continue;  // empty flows say nothing
    share = std::max(share, mode->share);
  }
  if (share < 0) return m;
  m.raw_value = share;
  m.score = logistic(kSteepness * (share - kHalfShare));
  return m;
}

}  // namespace

extern const Signal size;
constinit const Signal size{"size", &DetectionSettings::size_weight, measure};

}  // namespace beaconry::signals
