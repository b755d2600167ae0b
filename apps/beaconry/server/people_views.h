#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

// Users and the audit log on a terminal.
Result<std::string> users_text(std::string_view json);
// Newest last, as logs are read; below each change what it changed.
Result<std::string> audit_text(std::string_view json);
Result<std::string> audit_csv(std::string_view json);

}  // namespace beaconry
