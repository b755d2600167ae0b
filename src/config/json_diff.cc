#include <nlohmann/json.hpp>

#include "base/text.h"
#include "config/document_history.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostLines = 1000;

std::string in_words(const Json& value) {
  return terminal_safe(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

// RFC 6901, section 3.
std::string escaped(std::string_view key) {
  std::string text;
  for (const char c : key) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return terminal_safe(text);
}

void compare(const std::string& place, const Json& before, const Json& after,
             std::vector<std::string>& lines) {
  if (before == after || lines.size() >= kMostLines) return;
  const auto at = [&](const std::string& key) { return place + '/' + key; };
  if (before.is_object() && after.is_object()) {
    for (const auto& [key, value] : before.items()) {
      const auto now = after.find(key);
      if (now == after.end()) {
        lines.push_back(at(escaped(key)) + ": removed " + in_words(value));
      } else {
        compare(at(escaped(key)), value, *now, lines);
      }
    }
    for (const auto& [key, value] : after.items()) {
      if (!before.contains(key)) lines.push_back(at(escaped(key)) + ": added " + in_words(value));
    }
    return;
  }
  if (before.is_array() && after.is_array()) {
    for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
      const std::string here = at(std::to_string(i));
      if (i >= after.size()) {
        lines.push_back(here + ": removed " + in_words(before[i]));
      } else if (i >= before.size()) {
        lines.push_back(here + ": added " + in_words(after[i]));
      } else {
        compare(here, before[i], after[i], lines);
      }
    }
    return;
  }
  lines.push_back((place.empty() ? "/" : place) + ": " + in_words(before) + " -> " +
                  in_words(after));
}

}  // namespace

std::vector<std::string> json_diff(const std::string& before, const std::string& after) {
  std::vector<std::string> lines;
  const Json was = Json::parse(before, nullptr, false), is = Json::parse(after, nullptr, false);
  if (was.is_discarded() || is.is_discarded()) {
    if (before != after) lines.push_back("/: one of the two is no JSON");
    return lines;
  }
  compare("", was, is, lines);
  if (lines.size() >= kMostLines) lines.push_back("and more");
  return lines;
}

}  // namespace beaconry
