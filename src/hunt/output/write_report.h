#pragma once
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hunt/hunt_report.h"
#include "hunt/output/terminal.h"

namespace beaconry {

enum class Format { table, csv, ndjson, json };
constexpr const char* kFormatWords = "table, csv, ndjson, json";
std::optional<Format> parse_format(std::string_view word);

// Writes the report to a stream and flushes it; an error when not all of it could be written (a
// full disk, a closed pipe). The terminal matters to the table only.
Result<void> write_report(const HuntReport& report, Format format, const Terminal& terminal,
                          std::ostream& out);

// Writes a text, made harmless already, as write_report() does.
Result<void> write_text(std::string_view text, std::ostream& out);

// Writes the page of html.h to a file, which appears whole or not at all; to a device or a pipe as
// it comes.
Result<void> write_html_file(const HuntReport& report, const std::string& path);

}  // namespace beaconry
