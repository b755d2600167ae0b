#pragma once
#include <string>
#include <vector>

#include "server/json_rows.h"

namespace beaconry {

// What a desired state becomes when the sensor goes back from `now` to `then`: instances that files
// define stay as they are now.
Json rolled_back(const Json& now, Json then);
// Instances of `now` that `after` does not have.
std::vector<std::string> instances_that_go(const Json& now, const Json& after);

}  // namespace beaconry
