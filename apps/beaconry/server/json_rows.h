#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace beaconry {

using Json = nlohmann::json;

// An answer as an object, or what it is instead.
Result<Json> parse_answer(std::string_view text);
Result<Json> parsed_answer(const Result<std::string>& answer);
// What `make` writes of it.
template <class Make>
Result<std::string> from(std::string_view text, const Make& make) {
  const auto json = parse_answer(text);
  if (!json) return tl::unexpected<Error>(json.error());
  return make(*json);
}

// Members whatever an answer holds: missing or of another type, it is as if it were empty. A path
// of keys leads into objects.
std::string text_at(const Json& json, const char* path);
double number_at(const Json& json, const char* path);
std::uint64_t count_at(const Json& json, const char* path);
const Json& list_at(const Json& json, const char* path);

// A table of fixed columns, or CSV of the same rows.
struct Column {
  const char* title;
  std::size_t width;  // with the blank behind
  std::string (*cell)(const Json& row);
};
std::string table_of(const Json& rows, const std::vector<Column>& columns,
                     std::string (*paint)(const Json& row, const std::string& line) = nullptr);

struct CsvColumn {
  const char* name;
  const char* path;  // of the value in a row
};
std::string csv_of(const Json& rows, const std::vector<CsvColumn>& columns);

}  // namespace beaconry
