#include "sensor/fleet/origin.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/text.h"
#include "sensor/desired_state.h"

namespace beaconry {
namespace {

using Json = nlohmann::ordered_json;

// One step down a JSON pointer (RFC 6901, section 3).
std::string below(const std::string& pointer, std::string_view key) {
  std::string text = pointer + '/';
  for (const char c : key)
    text += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
  return text;
}

// A leaf is what is no object, or an empty one. A layer that gives a whole, such as a list, gives
// all in it.
void add(const Json& value, const std::string& pointer, const Json& layers,
         const std::string& otherwise, Json& origin) {
  if (!value.is_object() || value.empty()) {
    const auto layer = layers.find(pointer);
    origin[pointer] =
        layer != layers.end() && layer->is_string() ? layer->get<std::string>() : otherwise;
    return;
  }
  for (const auto& [key, part] : value.items())
    add(part, below(pointer, key), layers, otherwise, origin);
}

}  // namespace

std::string origin_json(const std::string& desired_json, const std::string& fleet_origin_json) {
  const Json desired = Json::parse(desired_json, nullptr, false);
  Json layers = Json::parse(fleet_origin_json, nullptr, false), origin = Json::object();
  if (!layers.is_object()) layers = Json::object();
  const Json none = Json::object();
  if (!desired.is_object()) return "{}";
  for (const auto& [part, value] : desired.items()) {
    if (part == "management_source") continue;
    if (part == "management") {
      const bool of_fleet = desired.value("management_source", "") == kFleetSource;
      add(value, "/management", of_fleet ? layers : none, of_fleet ? "default" : "command", origin);
      continue;
    }
    if (part != "instances" || !value.is_object()) {
      add(value, below("", part), layers, "command", origin);
      continue;
    }
    for (const auto& [name, instance] : value.items()) {
      Json shown = instance;
      const std::string source = shown.is_object() ? shown.value("source", "") : "";
      if (shown.is_object()) shown.erase("source");
      const bool of_fleet = source == kFleetSource;
      add(shown, below("/instances", name), of_fleet ? layers : none,
          of_fleet         ? "default"
          : source.empty() ? "command"
                           : source,
          origin);
    }
  }
  return origin.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace beaconry
