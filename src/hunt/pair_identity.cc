#include "hunt/pair_identity.h"

namespace beaconry {

std::optional<PairIdentity> PairIdentity::parse(std::string_view text) {
  PairIdentity identity;
  if (const std::optional<PairKey> key = PairKey::parse(text)) {
    identity.key = *key;
    return identity;
  }
  // "10.0.0.5->cdn.evil.tld:443/TCP": as a key, with the name in place of an address.
  const std::size_t arrow = text.find("->");
  if (arrow == std::string_view::npos) return std::nullopt;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon <= arrow + 2) return std::nullopt;
  const std::string with_address =
      std::string(text.substr(0, arrow)) + "->0.0.0.0" + std::string(text.substr(colon));
  const std::optional<PairKey> key = PairKey::parse(with_address);
  if (!key) return std::nullopt;
  identity.kind = PairKind::named;
  identity.key = *key;
  identity.name = text.substr(arrow + 2, colon - arrow - 2);
  return identity;
}

PairIdentity PairIdentity::of(const ScoredPair& pair) {
  return {pair.kind, pair.key, pair.kind == PairKind::named ? pair.server_name : std::string()};
}

bool PairIdentity::has(const SeriesLeg& leg, const SeriesStore& store) const {
  if (kind == PairKind::address) return leg.pair == key;
  return leg.name != 0 && leg.pair.source == key.source && leg.pair.port == key.port &&
         leg.pair.protocol == key.protocol && store.name(leg.name) == name;
}

}  // namespace beaconry
