#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "series/check_in.h"

namespace beaconry {

inline Timestamp last_began(const CheckIn& check_in) {
  return check_in.time + check_in.span;
}

// The same record again.
inline bool repeats(const CheckIn& a, const CheckIn& b) {
  return a.time == b.time && a.span == b.span && a.connections == b.connections &&
         a.inside_flow == b.inside_flow && a.bytes_out == b.bytes_out && a.bytes_in == b.bytes_in;
}

// Both are one visit.
inline bool gathers(const CheckIn& into, const CheckIn& other, Duration gap) {
  return other.time < last_began(into) + gap && into.time < last_began(other) + gap;
}

inline void gather(CheckIn& into, const CheckIn& other) {
  const Timestamp end = std::max(last_began(into), last_began(other));
  into.time = std::min(into.time, other.time);
  into.span = end - into.time;
  const std::uint64_t connections = std::uint64_t{into.connections} + other.connections;
  into.connections = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(connections, std::numeric_limits<std::uint32_t>::max()));
  into.inside_flow = into.inside_flow && other.inside_flow;
  into.bytes_out = add_bytes(into.bytes_out, other.bytes_out);
  into.bytes_in = add_bytes(into.bytes_in, other.bytes_in);
}

// Makes a series of what was decoded of several legs: leaves out what is before `from`, sorts,
// gathers what is closer than `gap`, and drops exact repeats (a log given twice).
void gather_series(std::vector<CheckIn>& series, Timestamp from, Duration gap);

}  // namespace beaconry
