#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "detect/verdict.h"
#include "flow/pair_key.h"

namespace beaconry {

// What the rest of the network says of a pair. Filled by who knows all pairs.
struct PairContext {
  PairKey pair;
  bool named = false;
  std::uint32_t users = 1;         // hosts that use this destination (address, name or domain)
  std::uint32_t hosts = 1;         // hosts of the same side that were seen at all
  std::uint32_t polled_alike = 1;  // destinations this source visits in the same rhythm and port
  bool destination_internal = false;
  bool inbound = false;  // outside opens to inside
};

// Adds to `verdict` what the context takes from its score, with reasons in words where
// `with_reasons`. It lowers; it never hides.
void adjust_for_context(const PairContext& context, bool with_reasons, Verdict& verdict);

// A service that hosts of a local network visit in rhythm without any malice, or empty.
std::string_view local_service(const PairKey& pair);

}  // namespace beaconry
