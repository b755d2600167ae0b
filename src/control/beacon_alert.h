#pragma once
#include <cstdint>
#include <string>

#include "alert/alert.h"
#include "detect/settings.h"
#include "hunt/beacon_watch.h"

namespace beaconry {

// What a decision tells people. `before`: what was known of the beacon when it was made;
// `removals`: how many beacons had been deleted by then, for of one that is found again nothing is
// known either. The id comes of all: the same decision made again, because a crash came in between,
// is the same alert.
Alert beacon_alert(const WatchDecision& decision, const BeaconState* before, std::uint64_t removals,
                   const DetectionSettings& settings, Timestamp now);

Severity severity_of(Confidence confidence);

}  // namespace beaconry
