#include "alert/alert.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kSeverities = {"LOW", "MEDIUM", "HIGH", "CRITICAL"};

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "read", "alert", std::move(cause));
}

}  // namespace

std::string_view to_string(Severity severity) {
  return kSeverities[static_cast<std::size_t>(severity)];
}

std::optional<Severity> parse_severity(std::string_view text) {
  const std::string lower = ascii_lower(text);
  for (std::size_t i = 0; i < kSeverities.size(); ++i) {
    if (lower == ascii_lower(kSeverities[i])) return static_cast<Severity>(i);
  }
  return std::nullopt;
}

std::string to_json(const Alert& alert) {
  Json details = Json::parse(alert.details, nullptr, false);
  if (!details.is_object()) details = Json::object();
  Json tags = Json::array();
  for (const std::string& tag : alert.tags)
    tags.push_back(utf8_valid(tag));
  const Json json = {{"alert_id", utf8_valid(alert.id)},
                     {"title", utf8_valid(alert.title)},
                     {"description", utf8_valid(alert.description)},
                     {"severity", to_string(alert.severity)},
                     {"source", utf8_valid(alert.source)},
                     {"details", std::move(details)},
                     {"timestamp", to_rfc3339(alert.time)},
                     {"tags", std::move(tags)},
                     {"kind", utf8_valid(alert.kind)},
                     {"subject", utf8_valid(alert.subject)}};
  return json.dump();
}

Result<Alert> alert_from_json(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return malformed("not a JSON object");
  Alert alert;
  const auto take = [&](const char* key, std::string& to) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_string()) return false;
    to = found->get<std::string>();
    return true;
  };
  std::string severity, time;
  for (const auto& [key, to] : {std::pair{"alert_id", &alert.id},
                                {"title", &alert.title},
                                {"description", &alert.description},
                                {"severity", &severity},
                                {"source", &alert.source},
                                {"timestamp", &time},
                                {"kind", &alert.kind},
                                {"subject", &alert.subject}}) {
    if (!take(key, *to)) return malformed(std::string("no text under '") + key + '\'');
  }
  const auto known_severity = parse_severity(severity);
  if (!known_severity) return malformed("severity '" + terminal_safe(severity) + "' is unknown");
  alert.severity = *known_severity;
  const auto known_time = parse_rfc3339(time);
  if (!known_time) return malformed("timestamp '" + terminal_safe(time) + "' is no time");
  alert.time = *known_time;
  if (const auto details = json.find("details"); details != json.end() && details->is_object()) {
    alert.details = details->dump();
  }
  if (const auto tags = json.find("tags"); tags != json.end() && tags->is_array()) {
    for (const Json& tag : *tags) {
      if (tag.is_string()) alert.tags.push_back(tag.get<std::string>());
    }
  }
  return alert;
}

}  // namespace beaconry
