#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace beaconry::lxd {

using Json = nlohmann::json;

// What is ours carries it as a key of its configuration: instances, volumes, the profile.
constexpr std::string_view kLabelPrefix = "user.beaconry.";
constexpr std::string_view kOurs = "user.beaconry.sensor";

// A member of what LXD answered; where it is missing or of another type: empty.
const Json& object_at(const Json& json, std::string_view key);
std::string text_at(const Json& json, std::string_view key);
std::uint64_t number_at(const Json& json, std::string_view key);
bool is_ours(const Json& config);

}  // namespace beaconry::lxd
