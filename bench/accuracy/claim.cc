#include "accuracy/claim.h"

#include <algorithm>

namespace beaconry::accuracy {

bool covers(const Claim& claim, const LabelledPair& pair) {
  if (claim.source != pair.source) return false;
  if (claim.port && pair.port && *claim.port != *pair.port) return false;
  if (claim.is_named() && !pair.name.empty()) return claim.name == pair.name;
  return std::any_of(
      claim.destinations.begin(), claim.destinations.end(), [&pair](const IpAddress& address) {
        return std::find(pair.destinations.begin(), pair.destinations.end(), address) !=
               pair.destinations.end();
      });
}

}  // namespace beaconry::accuracy
