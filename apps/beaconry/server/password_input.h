#pragma once
#include <string>

#include "base/result.h"

namespace beaconry {

// A password as the command line takes it, never as an argument: the first line of `file`, else of
// standard input; at a terminal it is asked for twice and not shown.
Result<std::string> read_password(const std::string& file);

}  // namespace beaconry
