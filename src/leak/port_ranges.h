#pragma once
#include <cstdint>
#include <utility>
#include <vector>

namespace beaconry {

// Sorted, disjoint, never adjacent ranges of ports, both ends inside.
using PortRanges = std::vector<std::pair<std::uint16_t, std::uint16_t>>;

bool holds(const PortRanges& ranges, std::uint16_t port);
// Beyond `most` ranges the two with the least between them are joined: which ports are open is then
// approximate, and memory bounded.
void add_port(PortRanges& ranges, std::uint16_t port, std::size_t most);
std::uint32_t count_ports(const PortRanges& ranges);

}  // namespace beaconry
