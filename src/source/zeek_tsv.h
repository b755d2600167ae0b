#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/log_row.h"

namespace beaconry {

// What the '#' lines before some rows of a Zeek TSV log say of these rows.
struct ZeekHeader {
  struct Column {
    std::uint32_t index = 0;
    Field field = Field::ts;
    bool packed = false;  // blanks end the value: IoT-23 packs three columns into the last one
  };
  char separator = '\t';
  std::string set_separator = ",", empty_field = "(empty)", unset_field = "-";
  std::string path;
  LogKind kind = LogKind::other;
  std::size_t column_count = 0;
  std::vector<Column> columns;   // those that are used, ascending
  std::optional<Field> missing;  // a column without which rows of this kind are worth nothing
};

// Gathers '#' lines, which may come again in the middle of concatenated logs.
class ZeekHeaderReader {
 public:
  // `file_name` tells the kind where neither #path nor the columns do.
  explicit ZeekHeaderReader(std::string_view file_name = {}) : file_name_(file_name) {}

  // One line beginning with '#', without its end. True if it was a #fields line: header() is new.
  bool add(std::string_view line);
  // Null before the first #fields line. Shared, for rows are parsed while headers change.
  const std::shared_ptr<const ZeekHeader>& header() const { return header_; }

 private:
  std::string file_name_;
  ZeekHeader next_;
  std::shared_ptr<const ZeekHeader> header_;
};

// Splits a row, without its end, by `header`. REQUIRES that all fields that `header` does not know
// are empty in `row`. False if it has fewer columns than the header; surplus ones are ignored.
bool split_zeek_row(const ZeekHeader& header, std::string_view line, LogRow& row);

}  // namespace beaconry
