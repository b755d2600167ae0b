#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

enum class Severity { low, medium, high, critical };
std::string_view to_string(Severity severity);                  // "LOW" ... "CRITICAL"
std::optional<Severity> parse_severity(std::string_view text);  // whatever its case

// Something that a person must see. `details` is a JSON object.
struct Alert {
  std::string id;     // unique: sinks may see it twice and drop the second
  std::string kind;   // "beacon.new", "beacon.worse", "beacon.gone", "digest", ...
  std::string title;  // one line
  std::string description;
  Severity severity = Severity::low;
  std::string source;   // the module: "hunt", later "leaks", "fleet"
  std::string subject;  // what it is about: a pair's identity
  std::string details = "{}";
  Timestamp time{};
  std::vector<std::string> tags;
};

// {alert_id, title, description, severity, source, details, timestamp, tags, kind, subject}
std::string to_json(const Alert& alert);
Result<Alert> alert_from_json(std::string_view json);

}  // namespace beaconry
