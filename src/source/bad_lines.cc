#include "source/bad_lines.h"

#include <algorithm>

namespace beaconry {

std::string_view to_string(BadLine reason) {
  switch (reason) {
    case BadLine::too_few_columns:
      return "too few columns";
    case BadLine::no_header:
      return "no #fields line before it";
    case BadLine::no_ts:
      return "no ts (or timestamp)";
    case BadLine::no_orig_h:
      return "no id.orig_h (or src_ip)";
    case BadLine::no_resp_h:
      return "no id.resp_h (or dest_ip)";
    case BadLine::no_resp_p:
      return "no id.resp_p (or dest_port)";
    case BadLine::no_proto:
      return "no proto";
    case BadLine::bad_time:
      return "timestamp is not a time between 1970 and 2200";
    case BadLine::bad_address:
      return "address does not parse";
    case BadLine::bad_port:
      return "port is not a number up to 65535";
    case BadLine::bad_protocol:
      return "unknown protocol";
    case BadLine::nul_byte:
      return "NUL byte in a name";
    case BadLine::too_long:
      return "line longer than 1 MiB";
    case BadLine::incomplete:
      return "incomplete last line (still being written?)";
    case BadLine::not_json:
      return "not valid JSON";
    case BadLine::not_a_record:
      return "not a record of the log";
    case BadLine::memory_limit:
      return "name not joined: memory limit";
    case BadLine::none:
    case BadLine::count:
      break;
  }
  return "";
}

void BadLines::add(BadLine reason, std::uint64_t line, std::uint64_t count) {
  if (count == 0) return;
  Entry& entry = entries_[static_cast<std::size_t>(reason)];
  entry.first_line = entry.count == 0 ? line : std::min(entry.first_line, line);
  entry.count += count;
}

void BadLines::merge(const BadLines& other) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    add(static_cast<BadLine>(i), other.entries_[i].first_line, other.entries_[i].count);
  }
}

void BadLines::report_to(ReadReport& report, std::string_view file) const {
  for (std::size_t i = 1; i < entries_.size(); ++i) {
    if (entries_[i].count == 0) continue;
    report.refuse(to_string(static_cast<BadLine>(i)),
                  Place{file, Place::Unit::line, entries_[i].first_line}, entries_[i].count);
  }
}

std::uint64_t BadLines::total() const {
  std::uint64_t total = 0;
  for (const auto& entry : entries_)
    total += entry.count;
  return total;
}

}  // namespace beaconry
