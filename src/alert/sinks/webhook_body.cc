#include "alert/sinks/webhook_body.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "beaconry_version.h"

namespace beaconry {
namespace {

using Json = nlohmann::ordered_json;

// Slack's own limits (https://api.slack.com/reference/block-kit/blocks).
constexpr std::size_t kLongestHeader = 150, kLongestSection = 3000;

std::string shown(std::string_view text, std::size_t most) {
  std::string safe = utf8_valid(text);
  if (safe.size() <= most) return safe;
  most -= 3;
  while (most > 0 && (static_cast<unsigned char>(safe[most]) & 0xc0) == 0x80)
    --most;
  return safe.substr(0, most) + "...";
}

// Slack's markup escapes three characters; nothing that an input says becomes a link or a mention.
std::string slack_safe(std::string_view text, std::size_t most) {
  std::string safe;
  for (const char c : shown(text, most)) {
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else {
      safe += c;
    }
  }
  return safe;
}

Json slack(const Alert& alert) {
  const std::string title = std::string(to_string(alert.severity)) + ": " + alert.title;
  Json blocks = Json::array();
  blocks.push_back(
      {{"type", "header"},
       {"text",
        {{"type", "plain_text"}, {"text", shown(title, kLongestHeader)}, {"emoji", false}}}});
  if (!alert.description.empty()) {
    // Escapes lengthen: half of the limit leaves room for them.
    blocks.push_back(
        {{"type", "section"},
         {"text",
          {{"type", "mrkdwn"}, {"text", slack_safe(alert.description, kLongestSection / 2)}}}});
  }
  const std::string context = slack_safe(alert.subject, kLongestSection / 4) + "  |  " +
                              to_rfc3339(alert.time) + "  |  " + slack_safe(alert.id, 100);
  blocks.push_back(
      {{"type", "context"}, {"elements", Json::array({{{"type", "mrkdwn"}, {"text", context}}})}});
  return {{"text", slack_safe(title, kLongestSection / 2)}, {"blocks", std::move(blocks)}};
}

// https://www.elastic.co/guide/en/ecs/8.11/ecs-field-reference.html
Json ecs(const Alert& alert) {
  constexpr std::array<int, 4> kScores = {21, 47, 73, 99};  // Elastic's own for low to critical
  Json json = {{"@timestamp", to_rfc3339(alert.time)},
               {"ecs", {{"version", "8.11.0"}}},
               {"event",
                {{"kind", "alert"},
                 {"category", Json::array({"network", "threat"})},
                 {"type", Json::array({"indicator"})},
                 {"dataset", "beaconry.alert"},
                 {"module", "beaconry"},
                 {"action", utf8_valid(alert.kind)},
                 {"id", utf8_valid(alert.id)},
                 {"severity", kScores[static_cast<std::size_t>(alert.severity)]}}},
               {"message", utf8_valid(alert.title)},
               {"rule", {{"name", utf8_valid(alert.title)}, {"category", "beaconing"}}},
               {"observer",
                {{"vendor", "Beaconry"}, {"product", "beaconry"}, {"version", BEACONRY_VERSION}}},
               {"tags", Json::array()}};
  for (const std::string& tag : alert.tags)
    json["tags"].push_back(utf8_valid(tag));
  Json details = Json::parse(alert.details, nullptr, false);
  if (!details.is_object()) details = Json::object();
  const auto take = [&](const char* key, const char* group, const char* field) {
    const auto found = details.find(key);
    if (found != details.end() && !found->is_null()) json[group][field] = *found;
  };
  take("src_ip", "source", "ip");
  take("dst_ip", "destination", "ip");
  take("dst_port", "destination", "port");
  take("server_name", "destination", "domain");
  if (const auto found = details.find("protocol"); found != details.end() && found->is_string()) {
    json["network"]["transport"] = ascii_lower(found->get<std::string>());
  }
  json["beaconry"] = {{"description", utf8_valid(alert.description)},
                      {"subject", utf8_valid(alert.subject)},
                      {"severity", to_string(alert.severity)},
                      {"details", std::move(details)}};
  return json;
}

}  // namespace

std::optional<WebhookTemplate> parse_webhook_template(std::string_view word) {
  if (word == "json") return WebhookTemplate::json;
  if (word == "slack") return WebhookTemplate::slack;
  if (word == "ecs") return WebhookTemplate::ecs;
  return std::nullopt;
}

std::string webhook_body(const Alert& alert, WebhookTemplate form) {
  switch (form) {
    case WebhookTemplate::json:
      return to_json(alert);
    case WebhookTemplate::slack:
      return slack(alert).dump();
    case WebhookTemplate::ecs:
      return ecs(alert).dump();
  }
  return {};
}

}  // namespace beaconry
