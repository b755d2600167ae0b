#include "hunt/output/write_report.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <system_error>

#include "hunt/output/csv.h"
#include "hunt/output/html.h"
#include "hunt/output/json.h"
#include "hunt/output/table.h"

namespace beaconry {

std::optional<Format> parse_format(std::string_view word) {
  if (word == "table") return Format::table;
  if (word == "csv") return Format::csv;
  if (word == "ndjson") return Format::ndjson;
  if (word == "json") return Format::json;
  return std::nullopt;
}

Result<void> write_report(const HuntReport& report, Format format, const Terminal& terminal,
                          std::ostream& out) {
  errno = 0;
  switch (format) {
    case Format::table:
      out << table_text(report, terminal);
      break;
    case Format::csv:
      write_csv(report, out);
      break;
    case Format::ndjson:
      write_ndjson(report, out);
      break;
    case Format::json:
      write_json(report, out);
      break;
  }
  out.flush();
  if (!out) return fail_errno("write", "the report");
  return {};
}

Result<void> write_text(std::string_view text, std::ostream& out) {
  errno = 0;
  out << text << std::flush;
  if (!out) return fail_errno("write", "the report");
  return {};
}

Result<void> write_html_file(const HuntReport& report, const std::string& path) {
  std::error_code unknown;
  const auto target = std::filesystem::status(path, unknown);
  if (std::filesystem::exists(target) && !std::filesystem::is_regular_file(target)) {
    // A device or a pipe, which a rename would replace.
    errno = 0;
    std::ofstream out(path, std::ios::binary);
    if (!out) return fail_errno("open", path);
    write_html(report, out);
    out.close();
    if (!out) return fail_errno("write", path);
    return {};
  }
  // Beside the target, so that the rename stays within one file system.
  const std::string temporary = path + ".part";
  errno = 0;
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  if (!out) return fail_errno("open", temporary);
  write_html(report, out);
  out.close();
  if (!out) {
    const auto error = fail_errno("write", temporary);
    std::remove(temporary.c_str());
    return error;
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const auto error = fail_errno("rename to", path);
    std::remove(temporary.c_str());
    return error;
  }
  return {};
}

}  // namespace beaconry
