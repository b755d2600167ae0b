#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/document.h"
#include "config/schema.h"

namespace beaconry {

// What stands for a secret that is not shown. Given as a value, it keeps the secret that is there.
constexpr std::string_view kHiddenSecret = "********";

// Where a value came from.
struct Origin {
  enum class From : std::uint8_t { fallback, file, api, command_line };
  From from = From::fallback;
  // "hunt.yaml line 3", "version 4 by anna at 2026-11-21T18:00:00.000Z", "--min-connections"; empty
  // for defaults
  std::string place;

  // "default", "hunt.yaml line 3", "API version 4 by ...", "command line --min-connections"
  std::string to_string() const;
};

// One item of a list of texts.
struct ConfigText {
  std::string text;
  Origin origin;
};

// One name of a map of texts.
struct ConfigEntry {
  std::string name, text;
  Origin origin;
};

class ConfigValues;
using ConfigRecords = std::vector<ConfigValues>;

// A document held against its schema: every key of the schema with its value, checked for type and
// range, and the value's origin. Reading a path that the schema lacks, or as another type than its
// own, is a programming error and throws std::logic_error. The schema's keys must outlive it.
class ConfigValues {
 public:
  // Everything at its default.
  explicit ConfigValues(ConfigSchema schema);
  // Refuses unknown keys, wrong types and values out of range; the error names file, line, what
  // would be right and, for a key that does not exist, the one that was probably meant. A key
  // without a value (`key:`, `key: null`, a text that is `""`) keeps its default. The error is the
  // first one; `all`, if given, gets every one (the first 50).
  static Result<ConfigValues> read(ConfigSchema schema, const ConfigDocument& document,
                                   std::vector<Error>* all = nullptr);

  // Reads a second document over these values: what it names takes the place of what was there, a
  // key without a value goes back to its default. Everything it names gets `origin`. Returns the
  // paths that it named; after an error nothing is changed.
  Result<std::vector<std::string_view>> overlay(const ConfigDocument& document,
                                                const Origin& origin,
                                                std::vector<Error>* all = nullptr);

  // Overrides a plain value by an option's text, as a file would write it.
  Result<void> set(std::string_view path, const std::string& text, std::string_view option);

  bool boolean(std::string_view path) const;  // REQUIRES a default
  std::optional<std::uint64_t> count(std::string_view path) const;
  std::optional<double> number(std::string_view path) const;
  std::optional<std::uint64_t> size(std::string_view path) const;
  std::optional<double> seconds(std::string_view path) const;
  std::optional<Duration> duration(std::string_view path) const;
  std::optional<std::string> text(std::string_view path) const;
  // nullptr where the list is not given; an empty list was given as one.
  const std::vector<ConfigText>* texts(std::string_view path) const;
  // nullptr where the map is not given; in the file's order.
  const std::vector<ConfigEntry>* entries(std::string_view path) const;
  // In a record, keys are read by their full schema path: "benign_baseline.patterns[].label".
  const ConfigRecords* records(std::string_view path) const;

  const Origin& origin(std::string_view path) const;
  const ConfigSchema& schema() const { return schema_; }
  // Any key's value as JSON, and as a document would give it again; "null" where it is unset.
  // Secrets are given as kHiddenSecret unless `with_secrets`.
  std::string to_json(std::string_view path, bool with_secrets = false) const;

 private:
  using Value = std::variant<std::monostate, bool, std::uint64_t, double, std::string,
                             std::vector<ConfigText>, std::vector<ConfigEntry>, ConfigRecords>;
  struct Slot {
    Value value;
    Origin origin;
  };
  friend class ConfigReader;

  std::size_t index(std::string_view path, ConfigType type) const;
  template <class T>
  const T* get(std::string_view path, ConfigType type) const;
  static Result<Value> parse_plain(const ConfigKey& key, const std::string& text);
  static Value fallback(const ConfigKey& key);
  std::string json(const ConfigKey& key, const Value& value, bool with_secrets) const;

  ConfigSchema schema_;
  std::vector<Slot> slots_;  // one for each key of the schema, in its order
};

}  // namespace beaconry
