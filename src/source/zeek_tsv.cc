#include "source/zeek_tsv.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/text.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace beaconry {
namespace {

// Columns beyond this many are not looked at. Zeek's widest logs have about 40.
constexpr std::size_t kMostColumns = 256;

// Where the columns of a line begin; at least kMostColumns + 1 places.
using ColumnStarts = std::array<std::uint32_t, kMostColumns + 64>;

// Fills the starts of columns 1.. (column 0 begins at 0) and returns how many columns there are,
// at most kMostColumns.
std::size_t find_columns(std::string_view line, char separator, ColumnStarts& starts) {
  std::size_t columns = 1, at = 0;
  const char* text = line.data();
#if defined(__SSE2__)
  const __m128i wanted = _mm_set1_epi8(separator);
  const auto mask_of = [&](std::size_t from) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + from));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, wanted)));
  };
  const auto take = [&](std::uint64_t mask, std::size_t from) {
    for (; mask != 0; mask &= mask - 1) {
      starts[columns++] =
          static_cast<std::uint32_t>(from + static_cast<unsigned>(__builtin_ctzll(mask)) + 1);
    }
  };
  for (; at + 64 <= line.size() && columns <= kMostColumns; at += 64) {
    take(mask_of(at) | static_cast<std::uint64_t>(mask_of(at + 16)) << 16 |
             static_cast<std::uint64_t>(mask_of(at + 32)) << 32 |
             static_cast<std::uint64_t>(mask_of(at + 48)) << 48,
         at);
    if (columns > kMostColumns) return kMostColumns;
  }
  for (; at + 16 <= line.size(); at += 16) {
    take(mask_of(at), at);
    if (columns > kMostColumns) return kMostColumns;
  }
  if (at < line.size() && line.size() >= 16) {  // the rest, by a block that overlaps the last one
    const std::size_t from = line.size() - 16;
    take(mask_of(from) >> (at - from) << (at - from), from);
    at = line.size();
  }
#endif
  for (; at < line.size() && columns <= kMostColumns; ++at) {
    if (text[at] == separator) starts[columns++] = static_cast<std::uint32_t>(at + 1);
  }
  return std::min(columns, kMostColumns);
}

// "\x09" or the character itself.
std::optional<char> separator_of(std::string_view text) {
  if (text.size() == 4 && text.substr(0, 2) == "\\x") {
    unsigned value = 0;
    for (const char c : text.substr(2)) {
      const char low = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9') {
        value = value * 16 + static_cast<unsigned>(c - '0');
      } else if (low >= 'a' && low <= 'f') {
        value = value * 16 + static_cast<unsigned>(low - 'a' + 10);
      } else {
        return std::nullopt;
      }
    }
    return static_cast<char>(value);
  }
  if (text.size() == 1) return text[0];
  return std::nullopt;
}

std::optional<Field> missing_field(const ZeekHeader& header) {
  const auto has = [&](Field field) {
    return std::any_of(header.columns.begin(), header.columns.end(),
                       [&](const auto& column) { return column.field == field; });
  };
  if (header.kind == LogKind::other) return std::nullopt;
  if (!has(Field::ts)) return Field::ts;
  if (header.kind == LogKind::dhcp) return std::nullopt;  // its columns changed over the years
  for (const Field field : {Field::orig_h, Field::resp_h, Field::resp_p}) {
    if (!has(field)) return field;
  }
  if (has_flows(header.kind) && !has(Field::proto)) return Field::proto;
  return std::nullopt;
}

}  // namespace

bool ZeekHeaderReader::add(std::string_view line) {
  constexpr std::string_view kSeparator = "#separator", kFieldsLine = "#fields";
  if (line.substr(0, kSeparator.size()) == kSeparator) {
    next_ = ZeekHeader();  // a log begins
    if (line.size() > kSeparator.size() + 1) {
      if (const auto c = separator_of(line.substr(kSeparator.size() + 1))) next_.separator = *c;
    }
    return false;
  }
  if (line.substr(0, kFieldsLine.size()) != kFieldsLine) {
    const auto at = line.find(next_.separator);
    if (at == std::string_view::npos) return false;
    const auto word = line.substr(0, at);
    const std::string value(line.substr(at + 1));
    if (word == "#set_separator" && !value.empty()) next_.set_separator = value;
    if (word == "#empty_field") next_.empty_field = value;
    if (word == "#unset_field") next_.unset_field = value;
    if (word == "#path") next_.path = value;
    return false;
  }
  if (line.size() == kFieldsLine.size()) return false;
  next_.separator = line[kFieldsLine.size()];  // says it even where no #separator line does
  auto names = split(line.substr(kFieldsLine.size() + 1), next_.separator);
  next_.column_count = names.size();
  next_.columns.clear();
  std::array<bool, kFields> known{};
  for (std::size_t i = 0; i < names.size() && i < kMostColumns; ++i) {
    const auto blank = next_.separator == ' ' ? std::string_view::npos : names[i].find(' ');
    names[i] = names[i].substr(0, blank);
    const auto field = field_of_name(names[i]);
    if (!field || known[static_cast<std::size_t>(*field)]) continue;
    known[static_cast<std::size_t>(*field)] = true;
    next_.columns.push_back(
        {static_cast<std::uint32_t>(i), *field, blank != std::string_view::npos});
  }
  auto kind = log_kind_of_path(next_.path);
  if (next_.path.empty()) {
    kind = log_kind_of_fields(names);
    if (!kind) kind = log_kind_of_path(file_name_);
  }
  next_.kind = kind.value_or(LogKind::other);
  next_.missing = missing_field(next_);
  next_.column_count = std::min(next_.column_count, kMostColumns);
  header_ = std::make_shared<const ZeekHeader>(next_);
  return true;
}

bool split_zeek_row(const ZeekHeader& header, std::string_view line, LogRow& row) {
  ColumnStarts starts;
  const std::size_t columns = find_columns(line, header.separator, starts);
  if (columns < header.column_count) return false;
  starts[0] = 0;
  if (columns < kMostColumns) starts[columns] = static_cast<std::uint32_t>(line.size() + 1);
  row.answers.clear();
  for (const auto& column : header.columns) {
    const std::size_t from = starts[column.index];
    std::size_t length = starts[column.index + 1] - 1 - from;
    std::string_view value(line.data() + from, length);
    if (column.packed) value = value.substr(0, value.find(' '));
    if (value == header.unset_field || value == header.empty_field) value = {};
    row[column.field] = value;
  }
  if (const auto answers = row[Field::answers]; !answers.empty()) {
    for (std::string_view rest = answers;;) {
      const auto at = rest.find(header.set_separator);
      row.answers.push_back(rest.substr(0, at));
      if (at == std::string_view::npos) break;
      rest.remove_prefix(at + header.set_separator.size());
    }
  }
  return true;
}

}  // namespace beaconry
