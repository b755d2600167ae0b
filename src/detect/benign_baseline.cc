#include "detect/benign_baseline.h"

#include <algorithm>
#include <utility>

namespace beaconry {

BenignBaseline::BenignBaseline() : patterns_{{123, Protocol::udp, "NTP"}} {}

BenignBaseline::BenignBaseline(std::vector<BenignPattern> patterns)
    : patterns_(std::move(patterns)) {}

const BenignPattern* BenignBaseline::match(const PairKey& pair) const {
  const auto found = std::find_if(patterns_.begin(), patterns_.end(), [&](const auto& pattern) {
    return pattern.dst_port == pair.port && pattern.protocol == pair.protocol;
  });
  return found == patterns_.end() ? nullptr : &*found;
}

}  // namespace beaconry
