#include "server/json_rows.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "hunt/output/csv.h"
#include "hunt/output/terminal.h"

namespace beaconry {
namespace {

const Json* find(const Json& json, std::string_view path) {
  const Json* at = &json;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    if (!at->is_object()) return nullptr;
    const auto member = at->find(std::string(path.substr(0, dot)));
    if (member == at->end()) return nullptr;
    at = &*member;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return at;
}

}  // namespace

Result<Json> parse_answer(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return fail(ErrorKind::malformed, "read", "the server's answer",
                "it is not what a Beaconry server sends; is another program on that port?");
  }
  return json;
}

Result<Json> parsed_answer(const Result<std::string>& answer) {
  if (!answer) return tl::unexpected<Error>(answer.error());
  return parse_answer(std::string_view(*answer));
}

std::string text_at(const Json& json, const char* path) {
  const Json* found = find(json, path);
  if (found == nullptr || found->is_null()) return {};
  return terminal_safe(found->is_string() ? found->get<std::string>() : found->dump());
}

double number_at(const Json& json, const char* path) {
  const Json* found = find(json, path);
  if (found == nullptr || !found->is_number()) return 0;
  const double value = found->get<double>();
  return std::isfinite(value) ? value : 0;
}

std::uint64_t count_at(const Json& json, const char* path) {
  return static_cast<std::uint64_t>(std::clamp(number_at(json, path), 0.0, 1e18));
}

const Json& list_at(const Json& json, const char* path) {
  static const Json kNone = Json::array();
  const Json* found = find(json, path);
  return found != nullptr && found->is_array() ? *found : kNone;
}

std::string table_of(const Json& rows, const std::vector<Column>& columns,
                     std::string (*paint)(const Json& row, const std::string& line)) {
  // A name such as detector_10@sensor001 widens its column; what is longer still, such as an
  // address of IPv6, only shifts its own line.
  constexpr std::size_t kMostMore = 12;
  std::vector<std::size_t> widths;
  for (const Column& column : columns) {
    std::size_t width = column.width;
    for (const Json& row : rows) {
      const std::size_t cell = display_width(column.cell(row)) + 1;
      if (cell <= column.width + kMostMore) width = std::max(width, cell);
    }
    widths.push_back(width);
  }
  std::string titles = "  ", lines = "  ";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    titles += pad_right(columns[i].title, widths[i]);
    lines += pad_right(std::string(std::string_view(columns[i].title).size(), '-'), widths[i]);
  }
  std::string table = titles + '\n' + lines + '\n';
  for (const Json& row : rows) {
    std::string line = "  ";
    for (std::size_t i = 0; i < columns.size(); ++i) {
      std::string cell = columns[i].cell(row);
      if (cell.empty()) cell = "-";
      // A cell that is too long keeps its content: an address must never be cut.
      const bool fits = display_width(cell) < widths[i];
      line += fits ? pad_right(std::move(cell), widths[i]) : std::move(cell) + ' ';
    }
    if (paint != nullptr) line = paint(row, std::move(line));
    table += line + '\n';
  }
  return table;
}

std::string csv_of(const Json& rows, const std::vector<CsvColumn>& columns) {
  std::string csv;
  for (const CsvColumn& column : columns)
    csv += (csv.empty() ? "" : ",") + std::string(column.name);
  csv += '\n';
  for (const Json& row : rows) {
    bool first = true;
    for (const CsvColumn& column : columns) {
      if (!first) csv += ',';
      first = false;
      csv += csv_cell(text_at(row, column.path));
    }
    csv += '\n';
  }
  return csv;
}

}  // namespace beaconry
