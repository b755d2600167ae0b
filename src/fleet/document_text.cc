#include "fleet/document_text.h"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kDeepest = 32;

}  // namespace

Result<Json> parse_object(const std::string& text, const std::string& subject,
                          std::size_t longest) {
  const auto refuse = [&](ErrorKind kind, std::string cause) {
    return fail(kind, "read", terminal_safe(subject), std::move(cause));
  };
  if (text.size() > longest)
    return refuse(ErrorKind::malformed, "it is longer than " + size_text(longest));
  if (json_depth(text) > kDeepest)
    return refuse(ErrorKind::malformed,
                  "its lists and objects lie more than 32 deep in each other");
  struct Open {
    std::set<std::string> keys;
    std::string last;  // key, below which the next object lies
  };
  std::vector<Open> open;
  std::string twice;
  const auto watch = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) {
      open.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      open.pop_back();
    } else if (event == Json::parse_event_t::key && twice.empty() && !open.empty()) {
      open.back().last = value.get<std::string>();
      if (!open.back().keys.insert(open.back().last).second) {
        for (const Open& each : open)
          twice = below(twice, each.last);
      }
    }
    return true;
  };
  Json json = Json::parse(text, watch, false);
  if (json.is_discarded()) return refuse(ErrorKind::malformed, "it is no JSON");
  if (!twice.empty())
    return refuse(ErrorKind::malformed, terminal_safe(twice) + " is given twice; keep one");
  if (!json.is_object()) return refuse(ErrorKind::malformed, "it is no JSON object");
  return json;
}

std::string below(const std::string& pointer, const std::string& key) {
  std::string longer = pointer + '/';
  for (const char c : key) {
    if (c == '~') {
      longer += "~0";
    } else if (c == '/') {
      longer += "~1";
    } else {
      longer += c;
    }
  }
  return longer;
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace beaconry
