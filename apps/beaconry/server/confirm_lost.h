#pragma once
#include "base/result.h"
#include "server/json_rows.h"

namespace beaconry {

// With instruments goes their data, and somebody has to say so: asks, unless `yes`, where the
// answer to a trial names some. An error where it was not meant.
Result<void> confirm_lost(const Json& trial, bool yes);

}  // namespace beaconry
