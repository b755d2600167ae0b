#pragma once
#include <string>
#include <vector>

#include "server/json_rows.h"

namespace beaconry {

// What a desired state becomes when the sensor goes back from `now` to `then`: instances that files
// or the server define stay as they are now, and so does a network that the server defines.
Json rolled_back(const Json& now, Json then);
// Instances of `now` that `after` does not have.
std::vector<std::string> instances_that_go(const Json& now, const Json& after);

}  // namespace beaconry
