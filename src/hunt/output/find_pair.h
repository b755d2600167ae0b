#pragma once
#include <string_view>

#include "base/result.h"
#include "hunt/hunt_report.h"

namespace beaconry {

// The pair that a user names: by identity (10.0.0.5->cdn.evil.tld:443/TCP), by key, or by a host
// name or address at either end where only one listed pair has it. The error tells what comes
// near, or which ones it could be.
Result<const ScoredPair*> find_pair(const HuntReport& report, std::string_view key);

}  // namespace beaconry
