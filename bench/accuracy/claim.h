#pragma once
#include <optional>
#include <string>
#include <vector>

#include "flow/pair_key.h"

namespace beaconry::accuracy {

// What a detector says of one conversation, in a form that suits them all.
struct Claim {
  IpAddress source;
  std::vector<IpAddress> destinations;  // one, or all that a named pair gathers
  std::string name;                     // of a named pair; else empty
  std::optional<std::uint16_t> port;    // unset where a detector mixes ports
  double score = 0;
  bool is_beacon = false;

  bool is_named() const { return !name.empty(); }
};

// What a conversation really is.
struct LabelledPair {
  IpAddress source;
  std::vector<IpAddress> destinations;
  std::string name;                   // empty where none is seen on the wire
  std::optional<std::uint16_t> port;  // unset: any
  std::string group;                  // "slow", "telemetry"
};

// Whether `claim` speaks of `pair`: an address claim by one of its addresses; a named claim by its
// name or, where the pair has none, by an address.
bool covers(const Claim& claim, const LabelledPair& pair);

}  // namespace beaconry::accuracy
