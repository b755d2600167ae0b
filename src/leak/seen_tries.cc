#include "leak/seen_tries.h"

#include <algorithm>

namespace beaconry {

SeenTries::Seen::Join SeenTries::Seen::join(std::uint64_t leak, Leg leg) {
  const auto bit = static_cast<std::uint8_t>(1u << static_cast<unsigned>(leg));
  for (Joined& known : joined) {
    if (known.leak == 0) {
      known = {leak, bit};
      return Join::first;
    }
    if (known.leak != leak) continue;
    if ((known.legs & bit) != 0) return Join::again;
    known.legs = static_cast<std::uint8_t>(known.legs | bit);
    return Join::other_leg;
  }
  return Join::again;
}

SeenTries::Seen* SeenTries::find(ProbeId probe, std::uint64_t sequence) {
  const auto at = seen_.find({probe.value, sequence});
  return at == seen_.end() ? nullptr : &at->second;
}

SeenTries::Seen& SeenTries::add(ProbeId probe, std::uint64_t sequence) {
  if (order_.size() >= kMost) {
    const Key oldest = order_.front();
    order_.pop_front();
    seen_.erase(oldest);
    forget_to({oldest.probe}, oldest.sequence);
  }
  const Key key{probe.value, sequence};
  order_.push_back(key);
  forgotten_.try_emplace(probe.value, 0);
  return seen_[key];
}

bool SeenTries::is_forgotten(ProbeId probe, std::uint64_t sequence) const {
  const auto at = forgotten_.find(probe.value);
  return at != forgotten_.end() && sequence <= at->second;
}

void SeenTries::forget_to(ProbeId probe, std::uint64_t sequence) {
  std::uint64_t& to = forgotten_[probe.value];
  to = std::max(to, sequence);
}

}  // namespace beaconry
