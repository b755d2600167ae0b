#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "source/read_report.h"

namespace beaconry {

// Why a line of a log was not used, or not in full.
enum class BadLine : std::uint8_t {
  none,
  too_few_columns,
  no_header,
  no_ts,
  no_orig_h,
  no_resp_h,
  no_resp_p,
  no_proto,
  bad_time,
  bad_address,
  bad_port,
  bad_protocol,
  nul_byte,
  too_long,
  incomplete,
  not_json,
  not_a_record,
  memory_limit,
  count
};
std::string_view to_string(BadLine reason);

// Counts bad lines by reason with the first line of each, so that what is reported does not depend
// on which thread parsed first. Not for several threads at once.
class BadLines {
 public:
  void add(BadLine reason, std::uint64_t line, std::uint64_t count = 1);
  void merge(const BadLines& other);
  void report_to(ReadReport& report, std::string_view file) const;
  std::uint64_t total() const;

 private:
  struct Entry {
    std::uint64_t count = 0;
    std::uint64_t first_line = 0;
  };
  std::array<Entry, static_cast<std::size_t>(BadLine::count)> entries_;
};

}  // namespace beaconry
