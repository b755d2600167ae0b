#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace beaconry {

// One JSON object of plain values, for a request's body. Empty texts are left out.
std::string json_object(const std::vector<std::pair<std::string, std::string>>& texts,
                        const std::vector<std::pair<std::string, double>>& numbers = {});

// A member of an answer as text: "" where it is missing.
Result<std::string> member_of(std::string_view json, const char* path);

// `path=value` as the body of POST /api/v1/config: {"section": {"key": value}}. A value is JSON
// where it reads as such, else a text. The error says what to write instead.
Result<std::string> config_edit(const std::vector<std::string>& assignments);

// The effective configuration, or one key or section of it, as lines "key: value"; with origins
// behind them where the answer holds them.
Result<std::string> config_lines(std::string_view json, const std::string& key);

}  // namespace beaconry
