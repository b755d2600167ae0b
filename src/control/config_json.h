#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/keys.h"
#include "config/values.h"

namespace beaconry {

struct ConfigChange {
  std::string key;
  std::string before, after;  // as JSON; secrets hidden
};

// A value that was set by the API, over the file's.
struct ConfigOverride {
  std::string json;    // secrets included
  std::string origin;  // "version 4 by anna at ..."
};
using ConfigOverrides = std::map<std::string, ConfigOverride, std::less<>>;  // by key
using GivenValues = std::map<std::string, std::string, std::less<>>;  // what a file gave, as JSON

// Calls `take(const ConfigKey&)` for keys that hold a value of their own: no other spellings,
// nothing inside records.
template <class Take>
void each_config_key(const Take& take) {
  const ConfigSchema schema = config_schema();
  for (const ConfigKey& key : schema.keys()) {
    if (key.same_as.empty() && key.path.find("[]") == key.path.npos) take(key);
  }
}

// How ConfigHistory keeps them. What cannot be read is left out.
std::string given_to_json(const GivenValues& given);
GivenValues given_from_json(const std::string& json);
std::string edits_to_json(const ConfigOverrides& edits);
ConfigOverrides edits_from_json(const std::string& json);
std::string changes_to_json(const std::vector<ConfigChange>& changes);
std::vector<ConfigChange> changes_from_json(const std::string& json);

// {"a": {"b": VALUE}} for "a.b".
std::string document_of(std::string_view path, const std::string& value);

// What ConfigHistory::to_json() and origins_json() give.
std::string config_sections_json(const ConfigValues& values, std::uint64_t version);
std::string config_origins_json(const ConfigValues& values, std::uint64_t version);

}  // namespace beaconry
