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

// Where a value came from.
struct Origin {
  enum class From : std::uint8_t { fallback, file, command_line };
  From from = From::fallback;
  std::string place;  // "hunt.yaml line 3", "--min-connections"; empty for defaults

  std::string to_string() const;  // "default", "hunt.yaml line 3", "command line --min-connections"
};

// One item of a list of texts.
struct ConfigText {
  std::string text;
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
  // without a value (`key:`, `key: null`) keeps its default.
  static Result<ConfigValues> read(ConfigSchema schema, const ConfigDocument& document);

  // Overrides a plain value by an option's text, as a file would write it.
  Result<void> set(std::string_view path, const std::string& text, std::string_view option);

  bool boolean(std::string_view path) const;  // REQUIRES a default
  std::optional<std::uint64_t> count(std::string_view path) const;
  std::optional<double> number(std::string_view path) const;
  std::optional<double> seconds(std::string_view path) const;
  std::optional<Duration> duration(std::string_view path) const;
  std::optional<std::string> text(std::string_view path) const;
  // nullptr where the list is not given; an empty list was given as one.
  const std::vector<ConfigText>* texts(std::string_view path) const;
  // In a record, keys are read by their full schema path: "benign_baseline.patterns[].label".
  const ConfigRecords* records(std::string_view path) const;

  const Origin& origin(std::string_view path) const;
  const ConfigSchema& schema() const { return schema_; }
  // Foreign sections that the document holds.
  std::vector<std::string_view> foreign_sections() const;

 private:
  using Value = std::variant<std::monostate, bool, std::uint64_t, double, std::string,
                             std::vector<ConfigText>, ConfigRecords>;
  struct Slot {
    Value value;
    Origin origin;
  };
  friend class ConfigReader;

  std::size_t index(std::string_view path, ConfigType type) const;
  template <class T>
  const T* get(std::string_view path, ConfigType type) const;
  static Result<Value> parse_plain(const ConfigKey& key, const std::string& text);

  ConfigSchema schema_;
  std::vector<Slot> slots_;  // one for each key of the schema, in its order
};

}  // namespace beaconry
