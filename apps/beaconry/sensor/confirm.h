#pragma once
#include <string>

#include "base/result.h"

namespace beaconry {

// Asks on the terminal whether that is meant, unless --yes was said. Where there is nobody to ask,
// --yes must be: an error of usage that says `why`.
Result<bool> is_meant(const std::string& question, const std::string& why, bool yes);

}  // namespace beaconry
