#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace beaconry {

constexpr std::size_t kLongestFleetDocument = std::size_t{1} << 20;

// A JSON object from afar, before it is looked at: bounded in size and depth, and with no key
// twice, of which one would be lost in silence. Errors name the subject and the key's place.
Result<nlohmann::json> parse_object(const std::string& text, const std::string& subject,
                                    std::size_t longest = kLongestFleetDocument);

// One step down a JSON pointer (RFC 6901, section 3).
std::string below(const std::string& pointer, const std::string& key);

std::string text_of(const nlohmann::json& json);

}  // namespace beaconry
