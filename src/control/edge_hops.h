#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/edges.h"

namespace beaconry {

// One hop of an edge's loss ledger, in the order of the way: what passed it and what did not.
struct LedgerHop {
  std::string_view hop;                // "capture"
  std::string_view what;               // "packets seen"
  std::optional<std::uint64_t> count;  // nothing: this edge does not tell
  std::optional<std::uint64_t> lost;
  std::string_view how;  // it would be lost: "dropped by the kernel"
};

// From the edge's own running totals and from what this server received of it. An edge tells what
// it has: hops that it says nothing of are left out. Every edge has spool, way and server.
std::vector<LedgerHop> ledger_of(const Edges::Edge& edge);

}  // namespace beaconry
