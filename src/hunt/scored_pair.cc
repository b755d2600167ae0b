#include "hunt/scored_pair.h"

namespace beaconry {

std::string ScoredPair::identity() const {
  if (kind == PairKind::address) return key.to_string();
  return key_text(key.source) + "->" + server_name + ':' + std::to_string(key.port) + '/' +
         to_string(key.protocol);
}

}  // namespace beaconry
