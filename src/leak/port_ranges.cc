#include "leak/port_ranges.h"

#include <algorithm>

namespace beaconry {
namespace {

using Range = PortRanges::value_type;

// The first range that ends at the port or after it.
template <class Ranges>
auto reach(Ranges& ranges, std::uint32_t port) {
  return std::lower_bound(ranges.begin(), ranges.end(), port,
                          [](const Range& range, std::uint32_t p) { return range.second < p; });
}

void join_nearest(PortRanges& ranges) {
  const auto gap = [](const Range& a, const Range& b) { return b.first - a.second; };
  std::size_t best = 0;
  for (std::size_t at = 1; at + 1 < ranges.size(); ++at)
    if (gap(ranges[at], ranges[at + 1]) < gap(ranges[best], ranges[best + 1])) best = at;
  ranges[best].second = ranges[best + 1].second;
  ranges.erase(ranges.begin() + static_cast<std::ptrdiff_t>(best) + 1);
}

}  // namespace

bool holds(const PortRanges& ranges, std::uint16_t port) {
  const auto at = reach(ranges, port);
  return at != ranges.end() && at->first <= port;
}

void add_port(PortRanges& ranges, std::uint16_t port, std::size_t most) {
  const auto at = reach(ranges, port);
  if (at != ranges.end() && at->first <= port) return;
  const bool after = at != ranges.begin() && std::prev(at)->second + 1 == port;
  const bool before = at != ranges.end() && at->first == port + 1;
  if (after && before) {
    std::prev(at)->second = at->second;
    ranges.erase(at);
  } else if (after) {
    std::prev(at)->second = port;
  } else if (before) {
    at->first = port;
  } else {
    ranges.insert(at, {port, port});
    if (ranges.size() > most) join_nearest(ranges);
  }
}

std::uint32_t count_ports(const PortRanges& ranges) {
  std::uint32_t count = 0;
  for (const auto& [first, last] : ranges)
    count += 1u + last - first;
  return count;
}

}  // namespace beaconry
