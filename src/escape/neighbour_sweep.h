#pragma once
#include <optional>
#include <vector>

#include "escape/config.h"
#include "escape/segment.h"

namespace beaconry {

// Whom to ask for, so that neighbours are known before they speak: those that the configuration
// lists, and where the profile may send to any neighbour, every address of our IPv4 networks, one
// after the other. One thread.
class NeighbourSweep {
 public:
  explicit NeighbourSweep(const ProbeConfig& config) : config_(config) {}

  // Whom the configuration names: gateways, resolvers on the link, listed neighbours.
  std::vector<IpAddress> named(const Segment& segment) const;
  // The next address of the sweep; nothing: it is at its end, or the profile allows none.
  std::optional<IpAddress> next(const Segment& segment);
  // So many are left to be asked.
  std::uint64_t left(const Segment& segment);
  void begin_anew() { asked_ = 0; }

 private:
  static constexpr unsigned kLargestNetwork = 20;  // prefix length; larger ones are not swept

  struct Range {
    std::uint32_t first = 0, count = 0;
    friend bool operator==(const Range&, const Range&) = default;
  };
  // Begins anew where our networks are others than they were.
  const std::vector<Range>& follow(const Segment& segment);
  std::vector<Range> ranges(const Segment& segment) const;

  const ProbeConfig& config_;
  std::vector<Range> ranges_;  // that asked_ counts in
  std::uint64_t asked_ = 0;
};

}  // namespace beaconry
