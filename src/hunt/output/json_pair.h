#pragma once
#include "hunt/output/json_writer.h"
#include "hunt/scored_pair.h"

namespace beaconry {

// One scored pair as an object: the fields of the NDJSON.
void write_pair(JsonWriter& json, const ScoredPair& pair);

// The members "explanation" and "rhythm" of it, for other objects about a pair.
void write_explanation(JsonWriter& json, const Verdict& verdict);
void write_rhythm(JsonWriter& json, const Rhythm& rhythm);

}  // namespace beaconry
