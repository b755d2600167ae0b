#include "source/zeek_tsv.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/text.h"
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace beaconry {
namespace {

// Columns beyond this many are not looked at. Zeek's widest logs have about 40.
constexpr std::size_t kMostColumns = 256;

// Where the columns of a line begin, with room for what is written beyond the last.
using ColumnStarts = std::array<std::uint32_t, kMostColumns + 128>;

// Each of these fills the starts of columns 1.. (column 0 begins at 0) and returns how many columns
// there are, at most kMostColumns.
using FindColumns = std::size_t (*)(std::string_view line, char separator, ColumnStarts& starts);

std::size_t find_rest(std::string_view line, std::size_t at, char separator, std::size_t columns,
                      ColumnStarts& starts) {
  for (; at < line.size() && columns < kMostColumns; ++at) {
    if (line[at] == separator) starts[columns++] = static_cast<std::uint32_t>(at + 1);
  }
  return std::min(columns, kMostColumns);
}

#if defined(__SSE2__)
// A mask's bits as starts. They are written in fours without asking whether there are so many:
// branches on the number of columns in a block would be guessed wrongly.
template <class PopCount>
__attribute__((always_inline)) inline std::size_t take(std::uint64_t mask, std::size_t from,
                                                       std::size_t columns, ColumnStarts& starts,
                                                       PopCount&& pop_count) {
  const std::size_t count = pop_count(mask);
  for (std::size_t i = 0; i < count; i += 4) {
    for (std::size_t k = 0; k < 4; ++k) {
      // Of an empty mask, 64 or what the instruction leaves: beyond `count`, and never read.
      const auto bit = mask == 0 ? 0U : static_cast<unsigned>(__builtin_ctzll(mask));
      starts[columns + i + k] = static_cast<std::uint32_t>(from) + bit + 1;
      mask &= mask - 1;
    }
  }
  return columns + count;
}

std::size_t find_columns_sse2(std::string_view line, char separator, ColumnStarts& starts) {
  const __m128i wanted = _mm_set1_epi8(separator);
  std::size_t columns = 1, at = 0;
  for (; at + 16 <= line.size(); at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(line.data() + at));
    auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, wanted)));
    for (; mask != 0; mask &= mask - 1) {
      starts[columns++] =
          static_cast<std::uint32_t>(at) + static_cast<unsigned>(__builtin_ctz(mask)) + 1;
    }
    if (columns > kMostColumns) return kMostColumns;
  }
  return find_rest(line, at, separator, columns, starts);
}

__attribute__((target("avx2,bmi,popcnt"))) std::size_t find_columns_avx2(std::string_view line,
                                                                         char separator,
                                                                         ColumnStarts& starts) {
  const __m256i wanted = _mm256_set1_epi8(separator);
  const auto matches = [&](std::size_t from) __attribute__((target("avx2,bmi,popcnt"))) {
    const auto block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(line.data() + from));
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(block, wanted)));
  };
  const auto pop_count = [](std::uint64_t mask) __attribute__((target("avx2,bmi,popcnt"))) {
    return static_cast<std::size_t>(_mm_popcnt_u64(mask));
  };
  std::size_t columns = 1, at = 0;
  for (; at + 64 <= line.size(); at += 64) {
    const std::uint64_t mask = matches(at) | static_cast<std::uint64_t>(matches(at + 32)) << 32;
    columns = take(mask, at, columns, starts, pop_count);
    if (columns > kMostColumns) return kMostColumns;
  }
  if (at < line.size() && line.size() >= 64) {  // the rest, by a block that overlaps the last one
    const std::size_t from = line.size() - 64;
    const std::uint64_t mask = matches(from) | static_cast<std::uint64_t>(matches(from + 32)) << 32;
    columns = take(mask >> (at - from) << (at - from), from, columns, starts, pop_count);
    return std::min(columns, kMostColumns);
  }
  return find_rest(line, at, separator, columns, starts);
}

FindColumns choose_find_columns() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                 __builtin_cpu_supports("popcnt")
             ? find_columns_avx2
             : find_columns_sse2;
}
const FindColumns find_columns = choose_find_columns();
#else
std::size_t find_columns(std::string_view line, char separator, ColumnStarts& starts) {
  return find_rest(line, 0, separator, 1, starts);
}
#endif

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

namespace {

// Sizes differ nearly always, so they are compared before anything is called.
inline bool equal(std::string_view a, const std::string& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

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
    if (equal(value, header.unset_field) || equal(value, header.empty_field)) value = {};
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
