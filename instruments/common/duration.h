#pragma once
#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/result.h"

namespace beaconry {

// A length of time in an instrument's configuration: seconds as a number, or "90s", "5m", "12h",
// "3d". What is missing is `otherwise`; what is out of range is an error that names the key.
Result<std::chrono::seconds> duration_of(const nlohmann::json& config, const char* key,
                                         std::chrono::seconds otherwise, std::chrono::seconds least,
                                         std::chrono::seconds most);

}  // namespace beaconry
