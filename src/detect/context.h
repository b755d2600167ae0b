#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "detect/verdict.h"
#include "flow/pair_key.h"

namespace beaconry {

// What the rest of the network says of a pair. Filled by who knows all pairs.
struct PairContext {
  PairKey pair;
  bool named = false;
  std::uint32_t users = 1;         // hosts that use this destination (address, name or domain)
  std::uint32_t hosts = 1;         // hosts of the same side that were seen at all
  std::string_view baseline;       // the configured benign baseline's label for it, or empty
  std::uint32_t polled_alike = 1;  // destinations this source visits in the same rhythm and port
  bool destination_internal = false;
  bool inbound = false;          // outside opens to inside
  bool lookup = false;           // a DNS name is asked for, with the next two:
  bool contacted = false;        // ... which somebody then connects to
  bool asks_for_others = false;  // ... by a host that others ask in turn
};

// Adds to `verdict` what the context takes from its score. It lowers; it never hides. Reasons are
// left empty: most verdicts are never shown.
void adjust_for_context(const PairContext& context, Verdict& verdict);

// An adjustment's reason in words, from the context it was made in: "9 of 40 hosts use it".
std::string reason_of(const Adjustment& adjustment, const PairContext& context);

// A service that hosts of a local network visit in rhythm without any malice, or empty.
std::string_view local_service(const PairKey& pair);

}  // namespace beaconry
