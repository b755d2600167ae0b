#pragma once
#include "hunt/output/json_writer.h"
#include "hunt/scored_pair.h"

namespace beaconry {

// One scored pair as an object: the fields of the NDJSON.
void write_pair(JsonWriter& json, const ScoredPair& pair);

}  // namespace beaconry
