#pragma once
#include <string>

#include "alert/alert.h"
#include "detect/settings.h"
#include "hunt/beacon_watch.h"

namespace beaconry {

// What a decision tells people. `before`: what was known of the beacon when it was made. The id
// comes of both: the same decision made again, because a crash came in between, is the same alert.
Alert beacon_alert(const WatchDecision& decision, const BeaconState* before,
                   const DetectionSettings& settings, Timestamp now);

Severity severity_of(Confidence confidence);

}  // namespace beaconry
