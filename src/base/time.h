#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace beaconry {

using Duration = std::chrono::microseconds;
using Timestamp = std::chrono::sys_time<Duration>;  // UTC, as in the input; never this machine's

// Timestamps outside years 1970..2200 are not times but errors of the input.
constexpr Timestamp kEarliest{Duration{0}};
constexpr Timestamp kLatest{std::chrono::seconds{7'258'118'400}};

// RFC 3339 in UTC with milliseconds: 2026-11-20T08:15:30.125Z
std::string to_rfc3339(Timestamp time);
std::optional<Timestamp> parse_rfc3339(std::string_view text);  // Z, +00:00, +0000 or no zone: UTC

// Seconds since the epoch with up to nine decimals, "1591367999.305988". Sign, exponent and
// trailing text are refused. Microseconds are kept.
std::optional<Timestamp> parse_epoch_seconds(std::string_view text);

// A length for people: "850ms", "60.0s", "5m 30s", "2h 5m", "3d 4h".
std::string to_words(Duration length);

double to_seconds(Duration length);
double to_seconds(Timestamp time);

}  // namespace beaconry
