#include "image/yaml_json.h"

#include <cctype>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace beaconry {
namespace {

bool digits_only(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) return false;
  return true;
}

nlohmann::json plain(const std::string& text) {
  if (text.empty() || text == "null" || text == "Null" || text == "NULL" || text == "~")
    return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const std::string_view unsigned_text =
      std::string_view(text).substr(text.front() == '-' || text.front() == '+' ? 1 : 0);
  if (digits_only(unsigned_text)) {
    const auto number = parse_unsigned(unsigned_text);
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (number && text.front() != '-') return *number;
    if (number && *number <= kMost) return -static_cast<std::int64_t>(*number);
  }
  const bool may_be_number = !unsigned_text.empty() && (unsigned_text.front() == '.' ||
                                                        digits_only(unsigned_text.substr(0, 1)));
  if (may_be_number) {
    if (const auto number = parse_number(text)) return *number;
  }
  return utf8_valid(text);
}

}  // namespace

nlohmann::json yaml_to_json(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::null:
      return nullptr;
    case ConfigNode::Kind::scalar:
      return node.quoted ? nlohmann::json(utf8_valid(node.text)) : plain(node.text);
    case ConfigNode::Kind::list: {
      auto list = nlohmann::json::array();
      for (const ConfigNode& item : node.items)
        list.push_back(yaml_to_json(item));
      return list;
    }
    case ConfigNode::Kind::map: {
      auto map = nlohmann::json::object();
      for (const auto& member : node.members)
        map[utf8_valid(member.key)] = yaml_to_json(member.value);
      return map;
    }
  }
  return nullptr;
}

}  // namespace beaconry
