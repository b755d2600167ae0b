#include "control/config_json.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "control/config_edit.h"

namespace beaconry {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json parsed(const std::string& text) {
  return Json::parse(text, nullptr, false);
}

std::string text_of(const Json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// Value `json` at "a.b.c" of an object, objects between made as needed.
void put(Json& object, std::string_view path, Json json) {
  Json* at = &object;
  for (const auto word : split(path, '.'))
    at = &(*at)[std::string(word)];
  *at = std::move(json);
}

}  // namespace

std::string given_to_json(const GivenValues& given) {
  Json json = Json::object();
  for (const auto& [key, value] : given)
    json[key] = value;
  return dumped(json);
}

GivenValues given_from_json(const std::string& text) {
  GivenValues given;
  const Json json = parsed(text);
  if (!json.is_object()) return given;
  for (const auto& [key, value] : json.items()) {
    if (value.is_string()) given.emplace(key, value.get<std::string>());
  }
  return given;
}

std::string edits_to_json(const ConfigOverrides& edits) {
  Json json = Json::object();
  for (const auto& [key, edit] : edits)
    json[key] = {{"json", edit.json}, {"origin", edit.origin}};
  return dumped(json);
}

ConfigOverrides edits_from_json(const std::string& text) {
  ConfigOverrides edits;
  const Json json = parsed(text);
  if (!json.is_object()) return edits;
  for (const auto& [key, edit] : json.items()) {
    edits[key] = {text_of(edit, "json"), text_of(edit, "origin")};
  }
  return edits;
}

std::string changes_to_json(const std::vector<ConfigChange>& changes) {
  Json json = Json::array();
  for (const ConfigChange& change : changes) {
    json.push_back({{"key", change.key}, {"before", change.before}, {"after", change.after}});
  }
  return dumped(json);
}

std::vector<ConfigChange> changes_from_json(const std::string& text) {
  std::vector<ConfigChange> changes;
  const Json json = parsed(text);
  if (!json.is_array()) return changes;
  for (const Json& change : json) {
    changes.push_back(
        {text_of(change, "key"), text_of(change, "before"), text_of(change, "after")});
  }
  return changes;
}

std::string document_of(std::string_view path, const std::string& value) {
  std::string text, end;
  for (const auto word : split(path, '.')) {
    text += "{\"" + std::string(word) + "\": ";
    end += '}';
  }
  return text + value + end;
}

std::string config_sections_json(const ConfigValues& values, std::uint64_t version) {
  Json json = Json::object();
  json["version"] = version;
  for (const char* section : {"detection", "weights", "alerting", "whitelist"}) {
    json[section] = Json::object();
  }
  each_config_key([&](const ConfigKey& key) {
    if (!is_editable(key.path)) return;
    Json value = parsed(values.to_json(key.path));
    if (const auto word = weight_word(key.path); !word.empty()) {
      json["weights"][std::string(word)] = std::move(value);
    } else {
      put(json, key.path, std::move(value));
    }
  });
  return dumped(json);
}

std::string config_origins_json(const ConfigValues& values, std::uint64_t version) {
  Json json = {{"version", version}, {"values", Json::array()}};
  each_config_key([&](const ConfigKey& key) {
    json["values"].push_back({{"key", key.path},
                              {"value", parsed(values.to_json(key.path))},
                              {"origin", values.origin(key.path).to_string()}});
  });
  return dumped(json);
}

}  // namespace beaconry
