#include "leak/seen_tries.h"

#include <algorithm>

namespace beaconry {

bool SeenTries::Seen::join(std::uint64_t leak) {
  for (std::uint64_t& known : leaks) {
    if (known == leak) return false;
    if (known == 0) {
      known = leak;
      return true;
    }
  }
  return false;
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
