#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "hunt/beacon_watch.h"

namespace beaconry {

// What is remembered of a beacon between analyses, as Beacons keeps it.
std::string watch_state_json(const BeaconState& state);
Result<BeaconState> watch_state_from_json(std::string_view json);

}  // namespace beaconry
