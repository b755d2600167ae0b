#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

// The server's answers about leaks and probes on a terminal and as CSV, as server/views.h has the
// others.
Result<std::string> leaks_text(std::string_view json, bool colour);
Result<std::string> leaks_csv(std::string_view json);
// One leak: its path drawn from probe to home, what it means and what to do.
Result<std::string> leak_text(std::string_view json);

Result<std::string> probes_text(std::string_view json);
Result<std::string> probes_csv(std::string_view json);
Result<std::string> probe_text(std::string_view json);

}  // namespace beaconry
