#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "config/values.h"

namespace beaconry {
namespace {

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string number_text(double value) {
  constexpr double kExact = 9e15;
  if (std::floor(value) == value && std::abs(value) < kExact) {
    return std::to_string(static_cast<std::int64_t>(value));
  }
  return nlohmann::json(value).dump();
}

}  // namespace

std::string ConfigValues::json(const ConfigKey& key, const Value& value, bool with_secrets) const {
  const bool hide = key.secret && !with_secrets;
  const auto shown = [&](const std::string& text) {
    return quoted(hide && !text.empty() ? std::string(kHiddenSecret) : text);
  };
  if (const auto* is = std::get_if<bool>(&value)) return *is ? "true" : "false";
  if (const auto* count = std::get_if<std::uint64_t>(&value)) return std::to_string(*count);
  if (const auto* real = std::get_if<double>(&value)) return number_text(*real);
  if (const auto* text = std::get_if<std::string>(&value)) return shown(*text);
  std::string json;
  if (const auto* texts = std::get_if<std::vector<ConfigText>>(&value)) {
    for (const ConfigText& item : *texts)
      json += (json.empty() ? "" : ",") + shown(item.text);
    return '[' + json + ']';
  }
  if (const auto* entries = std::get_if<std::vector<ConfigEntry>>(&value)) {
    for (const ConfigEntry& entry : *entries) {
      json += (json.empty() ? "" : ",") + quoted(entry.name) + ':' + shown(entry.text);
    }
    return '{' + json + '}';
  }
  if (const auto* records = std::get_if<ConfigRecords>(&value)) {
    const std::string prefix = std::string(key.path) + "[].";
    for (const ConfigValues& record : *records) {
      std::string members;
      for (const ConfigKey& member : schema_.keys()) {
        if (!member.path.starts_with(prefix)) continue;
        members += (members.empty() ? "" : ",") +
                   quoted(std::string(member.path.substr(prefix.size()))) + ':' +
                   record.to_json(member.path, with_secrets);
      }
      json += (json.empty() ? "{" : ",{") + members + '}';
    }
    return '[' + json + ']';
  }
  return "null";
}

std::string ConfigValues::to_json(std::string_view path, bool with_secrets) const {
  const ConfigKey* key = schema_.holder(path);
  if (key == nullptr) throw std::logic_error("no key " + std::string(path));
  return json(*key, slots_[static_cast<std::size_t>(key - schema_.keys().data())].value,
              with_secrets);
}

}  // namespace beaconry
