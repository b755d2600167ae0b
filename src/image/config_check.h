#pragma once

#include <string>

#include "base/result.h"

namespace beaconry {

// Whether this is a JSON Schema that check_config() can hold a configuration against: it refers to
// itself alone and never in a circle without end, and takes no more than bounded time.
Result<void> check_schema(const std::string& schema_json);

}  // namespace beaconry
