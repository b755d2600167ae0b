#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace beaconry {

enum class ConfigType : std::uint8_t {
  boolean,   // true, false, yes, no, on, off
  count,     // a whole number
  number,    // any finite number
  duration,  // seconds, or "90s", "5m", "12h", "3d", "2w"
  text,
  texts,    // a list of words or numbers
  records,  // a list of maps, whose keys the schema names as "section.list[].key"
  foreign,  // a section of another program: accepted whole, not looked into
};

// One key that a configuration may hold: what it takes, what it is without being set, and the words
// that the documentation has for it. Everything but `path`, `type` and `words` may be left out.
struct ConfigKey {
  std::string_view path;  // "detection.cv_threshold"
  ConfigType type;
  std::string_view words;          // one sentence or two; no line breaks
  std::string_view fallback = {};  // as one would write it, of lists in words; empty: unset
  double least = 0;                // of counts, numbers, and durations in seconds
  double most = std::numeric_limits<double>::max();
  bool required = false;  // in records only: every record must have it
};

// All keys of one kind of document. The keys must outlive it.
class ConfigSchema {
 public:
  explicit ConfigSchema(std::span<const ConfigKey> keys) : keys_(keys) {}

  std::span<const ConfigKey> keys() const { return keys_; }
  const ConfigKey* find(std::string_view path) const;
  bool is_section(std::string_view path) const;  // some key lies below it

  // The key that was probably meant: "; did you mean 'x'?", "; it belongs under 'y'" or the keys
  // that exist there. `section` is empty at the top.
  std::string suggestion(std::string_view section, std::string_view word) const;

  // A table in Markdown, one row a key: name, type, default, range, words. Sections keep the order
  // of their first key.
  std::string to_markdown() const;

 private:
  std::span<const ConfigKey> keys_;
};

// What a type takes, for people: "a number from 0 to 1".
std::string expectation(const ConfigKey& key);

}  // namespace beaconry
