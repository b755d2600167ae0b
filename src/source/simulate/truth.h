#pragma once
#include <string>

#include "base/result.h"
#include "source/simulate/traffic.h"

namespace beaconry::simulate {

// What is what in `traffic`, as JSON: {"start", "end", "connections", "pairs": [{"pair_key",
// "dst_ips", "server_name" or null, "label", "class", "model", "sleep_seconds", "jitter",
// "check_ins"}, ...]}. Pairs that are not listed are aperiodic and harmless.
std::string truth_json(const Traffic& traffic);
Result<void> write_truth(const Traffic& traffic, const std::string& path);

}  // namespace beaconry::simulate
