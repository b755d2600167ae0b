#include "escape/neighbour_sweep.h"

namespace beaconry {

std::vector<IpAddress> NeighbourSweep::named(const Segment& segment) const {
  std::vector<IpAddress> all;
  for (const auto* list : {&segment.gateways(), &segment.resolvers(), &config_.neighbours}) {
    for (const IpAddress& address : *list) {
      if (segment.is_on_link(address) && !segment.is_own(address)) all.push_back(address);
    }
  }
  return all;
}

std::vector<NeighbourSweep::Range> NeighbourSweep::ranges(const Segment& segment) const {
  std::vector<Range> all;
  if (config_.profile == Profile::ot) return all;
  for (const Segment::OwnAddress& own : segment.own()) {
    if (!own.address.is_v4() || own.prefix_length < kLargestNetwork || own.prefix_length > 30) {
      continue;
    }
    // Without the network's own address and its broadcast.
    const std::uint32_t size = 1U << (32 - own.prefix_length);
    all.push_back({(own.address.v4_value() & ~(size - 1)) + 1, size - 2});
  }
  return all;
}

const std::vector<NeighbourSweep::Range>& NeighbourSweep::follow(const Segment& segment) {
  std::vector<Range> now = ranges(segment);
  if (now != ranges_) {
    ranges_ = std::move(now);
    asked_ = 0;
  }
  return ranges_;
}

std::optional<IpAddress> NeighbourSweep::next(const Segment& segment) {
  const std::vector<Range>& all = follow(segment);
  std::uint64_t at = asked_;
  for (const Range& range : all) {
    while (at < range.count) {
      const IpAddress address = IpAddress::v4(range.first + static_cast<std::uint32_t>(at));
      ++asked_;
      ++at;
      if (!segment.is_own(address) && !segment.mac_of(address)) return address;
    }
    at -= range.count;
  }
  return std::nullopt;
}

std::uint64_t NeighbourSweep::left(const Segment& segment) {
  std::uint64_t all = 0;
  for (const Range& range : follow(segment))
    all += range.count;
  return all > asked_ ? all - asked_ : 0;
}

}  // namespace beaconry
