#include "control/event_retention.h"

#include "base/text.h"
#include "control/instrument_rules.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestPattern = 128;
constexpr double kLeast = 60, kMost = 3650 * 86'400.0;  // seconds

}  // namespace

Result<EventRetention> EventRetention::from(const ConfigValues& values) {
  EventRetention retention;
  const auto* entries = values.entries("instrument_events.retention_of");
  if (entries == nullptr) return retention;
  for (const ConfigEntry& entry : *entries) {
    const auto kept = parse_duration_seconds(entry.text);
    if (entry.name.empty() || entry.name.size() > kLongestPattern || !kept || *kept < kLeast ||
        *kept > kMost) {
      return fail(ErrorKind::malformed, "read", "instrument_events.retention_of",
                  "'" + terminal_safe(entry.name.substr(0, kLongestPattern)) +
                      "' must be a type such as '*.ev.status' with a length from 1m to 3650d, "
                      "such as 7d");
    }
    retention.rules_.push_back(
        {entry.name, std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*kept))});
  }
  return retention;
}

std::optional<Duration> EventRetention::of(std::string_view type) const {
  for (const Rule& rule : rules_) {
    if (matches_pattern(rule.pattern, type)) return rule.kept;
  }
  return std::nullopt;
}

}  // namespace beaconry
