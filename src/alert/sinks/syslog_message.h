#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "alert/alert.h"

namespace beaconry {

// What syslog collectors are to read.
enum class SyslogFormat : unsigned char { rfc5424, cef };

// RFC 5424 facilities by name, "local0" = 16; -1 for an unknown one.
int syslog_facility(std::string_view name);
// RFC 5424 severities: critical 2, high 3, medium 4, low 5.
int syslog_severity(Severity severity);
// The number of a severity by its name, "warning" or "warn" = 4; nothing for an unknown one.
std::optional<int> syslog_level(std::string_view name);

struct SyslogOrigin {
  int facility = 16;
  std::optional<int> severity;  // of every message, instead of the alert's
  std::string host;
  std::string process;  // its number
};

// One alert as an RFC 5424 message: structured data for plain, "CEF:0|..." as its text for CEF. No
// line breaks, at most 8 KiB (what collectors accept), valid UTF-8.
std::string syslog_message(const Alert& alert, SyslogFormat format, const SyslogOrigin& origin);

// The CEF record alone (ArcSight's Common Event Format, version 0).
std::string cef_record(const Alert& alert);

}  // namespace beaconry
