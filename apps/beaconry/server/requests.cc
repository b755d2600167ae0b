#include "server/requests.h"

#include "base/text.h"
#include "server/json_rows.h"

namespace beaconry {
namespace {

// Leaves of nested objects as "a.b.c: value".
void flatten(const Json& json, const std::string& path, const Json& origins,
             const std::string& wanted, std::string& out) {
  if (json.is_object() && !json.empty()) {
    for (const auto& [name, value] : json.items()) {
      const std::string below = path.empty() ? name : path + '.' + name;
      flatten(value, below, origins, wanted, out);
    }
    return;
  }
  const bool matches =
      wanted.empty() || path == wanted || path.compare(0, wanted.size() + 1, wanted + '.') == 0;
  if (!matches) return;
  out += terminal_safe(path) + ": " +
         terminal_safe(json.is_string() ? json.get<std::string>() : json.dump());
  if (const auto origin = origins.find(path); origin != origins.end() && origin->is_string()) {
    out += "    # " + terminal_safe(origin->get<std::string>());
  }
  out += '\n';
}

}  // namespace

std::string json_object(const std::vector<std::pair<std::string, std::string>>& texts,
                        const std::vector<std::pair<std::string, double>>& numbers) {
  Json json = Json::object();
  for (const auto& [name, value] : texts) {
    if (!value.empty()) json[name] = utf8_valid(value);
  }
  for (const auto& [name, value] : numbers)
    json[name] = value;
  return json.dump();
}

Result<std::string> member_of(std::string_view text, const char* path) {
  const auto json = parse_answer(text);
  if (!json) return tl::unexpected<Error>(json.error());
  return text_at(*json, path);
}

Result<std::string> config_edit(const std::vector<std::string>& assignments) {
  Json edit = Json::object();
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    const std::size_t dot = assignment.find('.');
    if (equals == std::string::npos || dot == std::string::npos || dot > equals || dot == 0 ||
        equals == dot + 1) {
      return fail(ErrorKind::usage, "read", '\'' + terminal_safe(assignment) + '\'',
                  "write section.key=value, as in detection.cv_threshold=0.2");
    }
    Json* at = &edit;
    std::string_view path = std::string_view(assignment).substr(0, equals);
    while (!path.empty()) {
      const std::size_t end = std::min(path.find('.'), path.size());
      at = &(*at)[std::string(path.substr(0, end))];
      path.remove_prefix(std::min(end + 1, path.size()));
    }
    const std::string value = assignment.substr(equals + 1);
    Json parsed = Json::parse(value, nullptr, false);
    *at = parsed.is_discarded() ? Json(utf8_valid(value)) : std::move(parsed);
  }
  return edit.dump();
}

Result<std::string> config_lines(std::string_view text, const std::string& key) {
  auto json = parse_answer(text);
  if (!json) return tl::unexpected<Error>(std::move(json.error()));
  Json origins = Json::object();
  if (const auto found = json->find("origins"); found != json->end()) {
    if (found->is_object()) origins = *found;
    json->erase(found);
  }
  std::string lines;
  flatten(*json, "", origins, key, lines);
  if (lines.empty() && !key.empty()) {
    return fail(ErrorKind::not_found, "get", '\'' + terminal_safe(key) + '\'',
                "the server has no such key");
  }
  return lines;
}

}  // namespace beaconry
