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
  size,      // bytes, or "64K", "512M", "2G", "1T" (powers of 1024)
  text,
  texts,    // a list of words or numbers
  entries,  // a map of names of one's own to texts
  records,  // a list of maps, whose keys the schema names as "section.list[].key"
};

// One key that a configuration may hold: what it takes, what it is without being set, and the words
// that the documentation has for it. Everything but `path`, `type` and `words` may be left out.
struct ConfigKey {
  std::string_view path;  // "detection.cv_threshold"
  ConfigType type;
  std::string_view words;          // one sentence or two; no line breaks
  std::string_view fallback = {};  // as one would write it, of lists in words; empty: unset
  double least = 0;                // of counts, numbers, sizes, and durations in seconds
  double most = std::numeric_limits<double>::max();
  bool required = false;          // in records only: every record must have it
  bool secret = false;            // its value (of entries: their texts) is shown to nobody
  std::string_view choices = {};  // of a text: "json|text", the only ones; any case is taken
  std::string_view same_as = {};  // another spelling of that plain key, which holds the value
};

// All keys of one kind of document. The keys must outlive it.
class ConfigSchema {
 public:
  explicit ConfigSchema(std::span<const ConfigKey> keys) : keys_(keys) {}

  std::span<const ConfigKey> keys() const { return keys_; }
  const ConfigKey* find(std::string_view path) const;
  // The key that holds the value: of another spelling, the key that it spells.
  const ConfigKey* holder(std::string_view path) const;
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

// One word or number: everything but lists and maps.
bool is_plain(ConfigType type);

// What a type takes, for people: "a number from 0 to 1".
std::string expectation(const ConfigKey& key);

}  // namespace beaconry
