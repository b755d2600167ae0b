#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "hunt/scored_pair.h"
#include "series/series_store.h"

namespace beaconry {

// What ScoredPair::identity() writes, read again: an address pair's key, or source, name, port and
// protocol of a named pair.
struct PairIdentity {
  PairKind kind = PairKind::address;
  PairKey key;       // a named pair's destination is nobody's
  std::string name;  // of a named pair

  static std::optional<PairIdentity> parse(std::string_view text);
  static PairIdentity of(const ScoredPair& pair);
  bool has(const SeriesLeg& leg, const SeriesStore& store) const;
};

}  // namespace beaconry
