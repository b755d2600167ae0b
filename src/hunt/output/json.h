#pragma once
#include <iosfwd>

#include "hunt/hunt_report.h"

namespace beaconry {

// The word in "format" by which a report is known again; the layout's version stands beside it.
constexpr const char* kReportFormat = "beaconry-hunt-report";
constexpr int kReportFormatVersion = 1;

// The listed pairs as NDJSON: one object a line, a line a pair (docs/formats/hunt-json.md lists the
// fields). Output is ASCII: whatever else a name holds is written \uXXXX, invalid UTF-8 as \ufffd.
// Every number is finite or null. Memory does not grow with the pairs.
void write_ndjson(const HuntReport& report, std::ostream& out);

// One document: "format", "format_version", "summary" and "pairs", the objects of the NDJSON.
// --since-report reads it (previous.h).
void write_json(const HuntReport& report, std::ostream& out);

}  // namespace beaconry
