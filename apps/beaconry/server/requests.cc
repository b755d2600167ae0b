#include "server/requests.h"

#include "base/text.h"
#include "server/json_rows.h"

namespace beaconry {
namespace {

bool is_wanted(const std::string& path, const std::string& wanted) {
  return wanted.empty() || path == wanted || path.compare(0, wanted.size() + 1, wanted + '.') == 0;
}

std::string line_of(const std::string& path, const Json& value) {
  return terminal_safe(path) + ": " +
         terminal_safe(value.is_string() ? value.get<std::string>() : value.dump());
}

// Leaves of nested objects as "a.b.c: value".
void flatten(const Json& json, const std::string& path, const std::string& wanted,
             std::string& out) {
  if (json.is_object() && !json.empty()) {
    for (const auto& [name, value] : json.items())
      flatten(value, path.empty() ? name : path + '.' + name, wanted, out);
    return;
  }
  if (is_wanted(path, wanted)) out += line_of(path, json) + '\n';
}

// Sets the value at "a.b.c", and makes the objects on the way. False where a value stands already,
// there or on the way.
bool put(Json& object, std::string_view path, Json value) {
  Json* at = &object;
  for (;;) {
    if (!at->is_object()) return false;
    const std::size_t dot = path.find('.');
    const auto [member, is_new] = at->emplace(utf8_valid(path.substr(0, dot)), Json::object());
    if (dot == std::string_view::npos) {
      if (is_new) *member = std::move(value);
      return is_new;
    }
    at = &*member;
    path.remove_prefix(dot + 1);
  }
}

Result<std::string> found_or_not(std::string lines, const std::string& key) {
  if (lines.empty() && !key.empty()) {
    return fail(ErrorKind::not_found, "get", '\'' + terminal_safe(key) + '\'',
                "the server has no such key");
  }
  return lines;
}

}  // namespace

std::string json_object(const std::vector<std::pair<std::string, std::string>>& texts) {
  Json json = Json::object();
  for (const auto& [name, value] : texts) {
    if (!value.empty()) json[name] = utf8_valid(value);
  }
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
    const std::string value = assignment.substr(equals + 1);
    Json parsed = Json::parse(value, nullptr, false);
    if (parsed.is_discarded()) parsed = utf8_valid(value);
    if (!put(edit, std::string_view(assignment).substr(0, equals), std::move(parsed))) {
      return fail(ErrorKind::usage, "read", '\'' + terminal_safe(assignment) + '\'',
                  "another of the values is for the same key or for a part of it");
    }
  }
  return edit.dump();
}

Result<std::string> config_lines(std::string_view text, const std::string& key) {
  const auto json = parse_answer(text);
  if (!json) return tl::unexpected<Error>(json.error());
  std::string lines;
  flatten(*json, "", key, lines);
  return found_or_not(std::move(lines), key);
}

Result<std::string> config_origin_lines(std::string_view text, const std::string& key) {
  const auto json = parse_answer(text);
  if (!json) return tl::unexpected<Error>(json.error());
  std::string lines;
  for (const Json& row : list_at(*json, "values")) {
    const std::string path = text_at(row, "key");
    if (!row.is_object() || !row.contains("value") || !is_wanted(path, key)) continue;
    lines += line_of(path, row["value"]) + "    # " + text_at(row, "origin") + '\n';
  }
  return found_or_not(std::move(lines), key);
}

Result<std::string> join_line(std::string_view text) {
  const auto json = parse_answer(text);
  if (!json) return tl::unexpected<Error>(json.error());
  // Without TLS an edge could not know the server, nor the server the edge.
  if (text_at(*json, "ca_fingerprint").empty()) {
    return fail(ErrorKind::unsupported, "enroll", "",
                "the server has no TLS; run `beaconry-control init` and start it again");
  }
  std::string line = text_at(*json, "join");
  if (line.empty()) {
    return fail(ErrorKind::unsupported, "enroll", "",
                "the server does not say how to join it; it may be older than this program");
  }
  return line;
}

}  // namespace beaconry
