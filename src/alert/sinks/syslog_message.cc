#include "alert/sinks/syslog_message.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "beaconry_version.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestMessage = 8192;
constexpr std::array<std::string_view, 24> kFacilities = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
// The private enterprise number that RFC 5612 keeps for documentation.
constexpr std::string_view kDataId = "beaconry@32473";

// Printable ASCII without blanks, as header fields and names must be (RFC 5424 §6).
std::string header_field(std::string_view text, std::size_t most) {
  std::string field;
  for (const char c : text.substr(0, most))
    field += c > ' ' && c < 0x7f ? c : '_';
  return field.empty() ? "-" : field;
}

// One line: what a collector would cut at or a terminal obey becomes visible.
std::string one_line(std::string_view text) {
  return terminal_safe(text);
}

std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80)
    --most;
  text.resize(most);
  return text;
}

void parameter(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += ' ';
  out += name;
  out += "=\"";
  for (const char c : one_line(value)) {
    if (c == '"' || c == '\\' || c == ']') out += '\\';
    out += c;
  }
  out += '"';
}

std::string cef_header(std::string_view text) {
  std::string out;
  for (const char c : one_line(text)) {
    if (c == '|' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

void extension(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += ' ';
  out += name;
  out += '=';
  for (const char c : one_line(value)) {
    if (c == '=' || c == '\\') out += '\\';
    out += c;
  }
}

// A detail as text, whatever JSON it is.
std::string detail(const nlohmann::json& details, const char* key) {
  const auto found = details.find(key);
  if (found == details.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump();
}

}  // namespace

int syslog_facility(std::string_view name) {
  const std::string lower = ascii_lower(name);
  for (std::size_t i = 0; i < kFacilities.size(); ++i) {
    if (lower == kFacilities[i]) return static_cast<int>(i);
  }
  return -1;
}

int syslog_severity(Severity severity) {
  return 5 - static_cast<int>(severity);
}

std::optional<int> syslog_level(std::string_view name) {
  struct Level {
    std::string_view name;
    int number;
  };
  constexpr std::array<Level, 12> kLevels = {{{"emergency", 0},
                                              {"emerg", 0},
                                              {"alert", 1},
                                              {"critical", 2},
                                              {"crit", 2},
                                              {"error", 3},
                                              {"err", 3},
                                              {"warning", 4},
                                              {"warn", 4},
                                              {"notice", 5},
                                              {"info", 6},
                                              {"debug", 7}}};
  const std::string lower = ascii_lower(name);
  for (const Level& level : kLevels) {
    if (level.name == lower) return level.number;
  }
  return std::nullopt;
}

std::string cef_record(const Alert& alert) {
  constexpr std::array<const char*, 4> kLevels = {"3", "5", "8", "10"};
  std::string record = "CEF:0|Beaconry|Beaconry|";
  record += cef_header(BEACONRY_VERSION) + '|' + cef_header(alert.kind) + '|';
  record += cef_header(alert.title) + '|';
  record += kLevels[static_cast<std::size_t>(alert.severity)];
  record += '|';
  const auto details = nlohmann::json::parse(alert.details, nullptr, false);
  std::string fields;
  const auto milliseconds =
      std::chrono::floor<std::chrono::milliseconds>(alert.time.time_since_epoch()).count();
  extension(fields, "rt", std::to_string(milliseconds));
  extension(fields, "externalId", alert.id);
  if (details.is_object()) {
    extension(fields, "src", detail(details, "src_ip"));
    extension(fields, "dst", detail(details, "dst_ip"));
    extension(fields, "dpt", detail(details, "dst_port"));
    extension(fields, "proto", detail(details, "protocol"));
    extension(fields, "dhost", detail(details, "server_name"));
    if (const std::string score = detail(details, "combined_score"); !score.empty()) {
      extension(fields, "cs1Label", "score");
      extension(fields, "cs1", score);
    }
  }
  extension(fields, "cs2Label", "subject");
  extension(fields, "cs2", alert.subject);
  extension(fields, "msg", alert.description);
  return record + fields.substr(fields.empty() ? 0 : 1);
}

std::string syslog_message(const Alert& alert, SyslogFormat format, const SyslogOrigin& origin) {
  const int priority =
      origin.facility * 8 + origin.severity.value_or(syslog_severity(alert.severity));
  std::string message = '<' + std::to_string(priority) + ">1 " + to_rfc3339(alert.time) + ' ' +
                        header_field(origin.host, 255) + " beaconry " +
                        header_field(origin.process, 128) + ' ' + header_field(alert.kind, 32) +
                        ' ';
  if (format == SyslogFormat::cef) {
    message += "- " + cef_record(alert);
  } else {
    message += '[' + std::string(kDataId);
    parameter(message, "id", alert.id);
    parameter(message, "severity", to_string(alert.severity));
    parameter(message, "source", alert.source);
    parameter(message, "subject", cut(alert.subject, 1024));
    const auto details = nlohmann::json::parse(alert.details, nullptr, false);
    if (details.is_object()) {
      parameter(message, "src", detail(details, "src_ip"));
      parameter(message, "dst", detail(details, "dst_ip"));
      parameter(message, "dpt", detail(details, "dst_port"));
      parameter(message, "proto", detail(details, "protocol"));
    }
    message += "] " + one_line(alert.title);
    if (!alert.description.empty()) message += ": " + one_line(alert.description);
  }
  return cut(std::move(message), kLongestMessage);
}

}  // namespace beaconry
