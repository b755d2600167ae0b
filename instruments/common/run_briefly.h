#pragma once
#include <string>
#include <vector>

#include "base/result.h"

namespace beaconry {

// Runs a program that checks something and ends by itself, within five seconds; gives what it
// wrote. An error's cause is its first line, where it ends with another status than 0.
Result<std::string> run_briefly(const std::vector<std::string>& command);

}  // namespace beaconry
