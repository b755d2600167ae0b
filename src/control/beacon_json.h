#pragma once
#include <string>

#include "base/time.h"
#include "detect/settings.h"
#include "hunt/output/json_writer.h"
#include "hunt/scored_pair.h"

namespace beaconry {

// A pair with its verdict as /api/v1/beacons shows it: the predecessor's fields, and what is new
// beside them.
void write_beacon(JsonWriter& json, const ScoredPair& pair, const DetectionSettings& settings,
                  Timestamp analyzed);
std::string beacon_json(const ScoredPair& pair, const DetectionSettings& settings,
                        Timestamp analyzed);

}  // namespace beaconry
