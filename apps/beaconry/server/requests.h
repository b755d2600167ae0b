#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace beaconry {

// One JSON object of texts, for a request's body. Empty ones are left out.
std::string json_object(const std::vector<std::pair<std::string, std::string>>& texts);

// A member of an answer as text: "" where it is missing.
Result<std::string> member_of(std::string_view json, const char* path);

// `path=value` as the body of POST /api/v1/config: {"section": {"key": value}}. A value is JSON
// where it reads as such, else a text. The error says what to write instead.
Result<std::string> config_edit(const std::vector<std::string>& assignments);

// The configuration as lines "key: value", all of it or one key or section: of /api/v1/config, and
// of /api/v1/config/origins, which says behind each where it came from.
Result<std::string> config_lines(std::string_view json, const std::string& key);
Result<std::string> config_origin_lines(std::string_view json, const std::string& key);

// The one line that makes a machine an edge, from the answer of POST /api/v1/enrollments, in the
// server's own words. Refused where the server has no TLS.
Result<std::string> join_line(std::string_view json);

}  // namespace beaconry
