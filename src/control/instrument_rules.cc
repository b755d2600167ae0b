#include "control/instrument_rules.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestPattern = 128;

struct Default {
  std::string_view pattern;
  Severity severity;
};
constexpr Default kDefaults[] = {
    {"*.ev.alert", Severity::high},
    {"sensor.ev.tried_to_transmit", Severity::critical},  // a compromised instrument
    {"sensor.ev.broken", Severity::high},
    {"sensor.ev.interface_lost", Severity::high},
    {"sensor.ev.update_rolled_back", Severity::medium},
    {"sensor.ev.flooding", Severity::medium},
    {"sensor.ev.retention_overdue", Severity::medium},
};

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, after = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++after;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(),
                     [](char c) { return c == '*'; });
}

Result<InstrumentRules> InstrumentRules::from(const ConfigValues& values) {
  InstrumentRules rules;
  const auto* entries = values.entries("alerting.instrument_events");
  if (entries == nullptr) return rules;
  for (const ConfigEntry& entry : *entries) {
    Rule rule{entry.name, parse_severity(entry.text)};
    if (entry.name.empty() || entry.name.size() > kLongestPattern ||
        (!rule.severity && ascii_lower(entry.text) != "none")) {
      return fail(ErrorKind::malformed, "read", "alerting.instrument_events",
                  "'" + terminal_safe(entry.name.substr(0, kLongestPattern)) +
                      "' must be a type such as '*.ev.alert' with one of low, medium, high, "
                      "critical, none");
    }
    rules.rules_.push_back(std::move(rule));
  }
  return rules;
}

std::optional<Severity> InstrumentRules::severity_of(std::string_view type) const {
  for (const Rule& rule : rules_) {
    if (matches_pattern(rule.pattern, type)) return rule.severity;
  }
  for (const Default& rule : kDefaults) {
    if (matches_pattern(rule.pattern, type)) return rule.severity;
  }
  return std::nullopt;
}

}  // namespace beaconry
