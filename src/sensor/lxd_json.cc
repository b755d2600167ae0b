#include "sensor/lxd_json.h"

#include <nlohmann/json.hpp>

namespace beaconry::lxd {

const Json& object_at(const Json& json, std::string_view key) {
  static const Json nothing = Json::object();
  if (!json.is_object()) return nothing;
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? nothing : *found;
}

std::string text_at(const Json& json, std::string_view key) {
  const Json& value = object_at(json, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::uint64_t number_at(const Json& json, std::string_view key) {
  const Json& value = object_at(json, key);
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (!value.is_number_integer()) return 0;
  const auto number = value.get<std::int64_t>();
  return number < 0 ? 0 : static_cast<std::uint64_t>(number);
}

bool is_ours(const Json& config) {
  return config.is_object() && config.contains(kOurs);
}

}  // namespace beaconry::lxd
