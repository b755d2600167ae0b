#pragma once
#include <string>
#include <vector>

#include "accuracy/claim.h"
#include "accuracy/connection_list.h"
#include "base/result.h"

namespace beaconry::accuracy {

// What `program hunt --all --format ndjson inputs...` says.
Result<std::vector<Claim>> beaconry_claims(const std::string& program,
                                           const std::vector<std::string>& inputs);
// One line of that: a claim, or nothing where the line is not a pair.
std::optional<Claim> read_claim(std::string_view line);

// The predecessor's, with an alarm if any window of `window_seconds` within the input raises one.
std::vector<Claim> predecessor_claims(const ConnectionList& list, double window_seconds);

// RITA's, with an alarm from a beacon score of `beacon_at`.
std::vector<Claim> rita_claims(const ConnectionList& list, double beacon_at);

}  // namespace beaconry::accuracy
