#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hunt/scored_pair.h"

namespace beaconry {

// What the terminal and the page draw of a pair's check-ins: counts only, no ink. Every function
// takes any series, the empty one too, and gives finite numbers.

// Check-ins over the whole span, in equal steps.
struct Timeline {
  Timestamp first{}, last{};
  Duration step{0};  // of one column; 0 where there is no span
  std::vector<std::uint32_t> counts;
  std::uint32_t most = 0;
};
Timeline timeline_of(const CheckIns& check_ins, std::size_t columns);

// One bar: values in [from, to).
struct Bar {
  double from = 0, to = 0;
  std::uint64_t count = 0;
  enum class Side : std::uint8_t { inside, below, above } side = Side::inside;
};

struct Histogram {
  std::vector<Bar> bars;  // ascending; the first may gather all below, the last all above
  std::uint64_t total = 0, unknown = 0, most = 0;
  bool single_values = false;  // each bar is one value (from), not a range
};

// Seconds between check-ins. The bars cover the 5th to 95th percentile and a margin, so that one
// night's gap does not flatten the picture; on a logarithmic scale where that spans a wide range.
Histogram interval_histogram(const CheckIns& check_ins, std::size_t bars);

// Bytes of each check-in in one direction: a bar a value where they are few, else ranges.
Histogram size_histogram(const CheckIns& check_ins, bool out, std::size_t bars);

std::string interval_label(const Bar& bar);                  // "48.0s-52.0s", "above 2m 0s"
std::string size_label(const Bar& bar, bool single_values);  // "420 B", "1.0 KiB-2.0 KiB"

}  // namespace beaconry
