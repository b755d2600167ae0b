#include "config/schema.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr double kNoMost = std::numeric_limits<double>::max();
constexpr std::size_t kMostListed = 12;
constexpr std::size_t kLongestMisspelling = 64;

std::string_view section_of(std::string_view path) {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

std::string_view last_of(std::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

// The part of `path` that stands directly below `section`, without the mark of lists.
std::string_view child_of(std::string_view section, std::string_view path) {
  if (!section.empty()) {
    if (!path.starts_with(section) || path.size() <= section.size() ||
        path[section.size()] != '.') {
      return {};
    }
    path.remove_prefix(section.size() + 1);
  }
  path = path.substr(0, path.find('.'));
  if (path.ends_with("[]")) path.remove_suffix(2);
  return path;
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", value);
  return text;
}

std::string bound_text(ConfigType type, double value) {
  if (type == ConfigType::size) return size_text(static_cast<std::uint64_t>(value));
  if (type != ConfigType::duration) return number_text(value);
  constexpr double kDay = 86'400;
  if (value >= kDay && std::fmod(value, kDay) == 0) return number_text(value / kDay) + 'd';
  return number_text(value) + 's';
}

std::string range_text(const ConfigKey& key) {
  const std::string least = "from " + bound_text(key.type, key.least);
  if (key.most < kNoMost) return least + " to " + bound_text(key.type, key.most);
  return least + " up";
}

const char* type_word(ConfigType type) {
  switch (type) {
    case ConfigType::boolean:
      return "boolean";
    case ConfigType::count:
      return "whole number";
    case ConfigType::number:
      return "number";
    case ConfigType::duration:
      return "duration";
    case ConfigType::size:
      return "size";
    case ConfigType::text:
      return "text";
    case ConfigType::texts:
      return "list";
    case ConfigType::entries:
      return "map";
    case ConfigType::records:
      return "list of maps";
  }
  return "";
}

bool has_range(ConfigType type) {
  return type == ConfigType::count || type == ConfigType::number || type == ConfigType::duration ||
         type == ConfigType::size;
}

std::string choices_in_words(std::string_view choices) {
  std::string words;
  for (const auto choice : split(choices, '|')) {
    words += (words.empty() ? "" : ", ") + std::string(choice);
  }
  return words;
}

}  // namespace

const ConfigKey* ConfigSchema::find(std::string_view path) const {
  const auto found =
      std::find_if(keys_.begin(), keys_.end(), [&](const auto& key) { return key.path == path; });
  return found == keys_.end() ? nullptr : &*found;
}

const ConfigKey* ConfigSchema::holder(std::string_view path) const {
  const ConfigKey* key = find(path);
  return key == nullptr || key->same_as.empty() ? key : find(key->same_as);
}

bool ConfigSchema::is_section(std::string_view path) const {
  return std::any_of(keys_.begin(), keys_.end(),
                     [&](const auto& key) { return !child_of(path, key.path).empty(); });
}

std::string ConfigSchema::suggestion(std::string_view section, std::string_view word) const {
  std::vector<std::string_view> here;
  for (const ConfigKey& key : keys_) {
    const auto child = child_of(section, key.path);
    if (!child.empty() && std::find(here.begin(), here.end(), child) == here.end()) {
      here.push_back(child);
    }
  }
  for (const ConfigKey& key : keys_) {
    if (last_of(key.path) == word && section_of(key.path) != section) {
      return "; it belongs under '" + std::string(section_of(key.path)) + '\'';
    }
  }
  const auto nearest =
      word.size() > kLongestMisspelling ? std::string_view() : nearest_word(word, here);
  if (!nearest.empty()) return "; did you mean '" + std::string(nearest) + "'?";
  std::string listed;
  for (std::size_t i = 0; i < std::min(here.size(), kMostListed); ++i) {
    listed += (i == 0 ? "; known here: " : ", ") + std::string(here[i]);
  }
  return listed + (here.size() > kMostListed ? ", ..." : "");
}

bool is_plain(ConfigType type) {
  return type != ConfigType::texts && type != ConfigType::entries && type != ConfigType::records;
}

std::string expectation(const ConfigKey& key) {
  const bool bounded = has_range(key.type) && (key.least > 0 || key.most < kNoMost);
  const std::string range = bounded ? ' ' + range_text(key) : "";
  switch (key.type) {
    case ConfigType::boolean:
      return "true or false";
    case ConfigType::count:
      return "a whole number" + range;
    case ConfigType::number:
      return "a number" + range;
    case ConfigType::duration:
      return "seconds or a length of time such as 5m" + (bounded ? "," + range : "");
    case ConfigType::size:
      return "bytes or a size such as 64M" + (bounded ? "," + range : "");
    case ConfigType::text:
      if (!key.choices.empty()) return "one of " + choices_in_words(key.choices);
      return "one word or text";
    case ConfigType::texts:
      return "a list such as [a, b]";
    case ConfigType::entries:
      return "a map such as {name: value}";
    case ConfigType::records:
      return "a list of maps";
  }
  return {};
}

std::string ConfigSchema::to_markdown() const {
  std::string table = "| key | type | default | range | meaning |\n|---|---|---|---|---|\n";
  for (const ConfigKey& key : keys_) {
    table.append("| `").append(key.path).append("` | ").append(type_word(key.type));
    if (!key.same_as.empty()) {
      table.append(" | | | The same as `").append(key.same_as).append("`. |\n");
      continue;
    }
    std::string fallback(key.fallback);
    if (fallback.empty()) {
      fallback = key.required ? "required" : "unset";
    } else if (is_plain(key.type)) {
      fallback.insert(0, 1, '`').push_back('`');
    }
    table.append(" | ").append(fallback).append(" | ");
    if (has_range(key.type)) table += range_text(key);
    if (!key.choices.empty()) table += choices_in_words(key.choices);
    table.append(" | ").append(key.words).append(" |\n");
  }
  return table;
}

}  // namespace beaconry
