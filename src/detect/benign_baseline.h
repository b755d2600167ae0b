#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "flow/pair_key.h"

namespace beaconry {

// A service that is periodic by its nature.
struct BenignPattern {
  std::uint16_t dst_port = 0;
  Protocol protocol = Protocol::udp;
  std::string label;  // "NTP"
};

// Services whose rhythm says nothing. By default NTP alone: DNS, though periodic, carries C2.
class BenignBaseline {
 public:
  BenignBaseline();
  explicit BenignBaseline(std::vector<BenignPattern> patterns);  // none: nothing is benign

  // The first pattern that fits, or nullptr. It lives as long as the baseline.
  const BenignPattern* match(const PairKey& pair) const;
  const std::vector<BenignPattern>& patterns() const { return patterns_; }

 private:
  std::vector<BenignPattern> patterns_;
};

}  // namespace beaconry
