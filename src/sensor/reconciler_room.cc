// Who has room in the pool: whoever was first keeps it, made or not.
#include <algorithm>

#include "sensor/reconciler.h"

namespace beaconry {

// From manifests, since what was measured is a minute old and knows nothing of what is only wished.
std::uint64_t Reconciler::promised(const std::string& besides) const {
  std::uint64_t bytes = 0;
  for (const auto& [name, one] : entries_) {
    if (name == besides) continue;
    const InstanceFacts& facts = one.instance.facts();
    Manifest::Limits limits;
    limits.persistent = limits.transient = 0;
    const auto widen = [&](const Manifest& manifest) {
      limits.persistent = std::max(limits.persistent, manifest.limits.persistent);
      limits.transient = std::max(limits.transient, manifest.limits.transient);
    };
    const ImageInfo* reserved = one.reserved.empty() ? nullptr : parts_.images.find(one.reserved);
    bool is_there = false;
    for (const auto* holds : {&facts.container, &facts.aside}) {
      const ImageInfo* image = *holds ? parts_.images.find((*holds)->fingerprint) : nullptr;
      if (image == nullptr) continue;
      widen(image->manifest);
      is_there = is_there || image == reserved;
    }
    if (reserved != nullptr) widen(reserved->manifest);
    if (reserved != nullptr && !is_there) bytes += copies(*reserved);
    // Data that is kept of one that is not wished.
    if (facts.has_volumes && !facts.container && one.permitted) widen(*one.permitted);
    bytes += growth(limits, used_by(one));
  }
  return bytes;
}

VolumesUsed Reconciler::used_by(const Entry& entry) {
  return {entry.persistent.used, entry.transient.used};
}

Result<void> Reconciler::has_room(const std::string& instance, const ImageInfo& image) const {
  const auto found = entries_.find(instance);
  return admit(image, space_, promised(instance),
               found == entries_.end() ? VolumesUsed{} : used_by(found->second));
}

void Reconciler::reserve_room() {
  for (auto& [name, one] : entries_) {
    const InstanceFacts& facts = one.instance.facts();
    const ImageInfo* image = one.wish ? parts_.images.find(one.wish->image) : nullptr;
    if (image == nullptr || !one.fits ||
        one.instance.memory().rejected_image == image->fingerprint) {
      one.reserved.clear();
      one.room = {};
      continue;
    }
    if (space_.total == 0) {  // not known yet: nothing is refused, and nothing promised for good
      one.room = {};
      continue;
    }
    const bool begun =
        facts.aside || (facts.container && facts.container->fingerprint == image->fingerprint);
    if (one.reserved == image->fingerprint) continue;
    one.room = begun ? Result<void>() : has_room(name, *image);
    one.reserved = one.room ? image->fingerprint : std::string();
  }
}

}  // namespace beaconry
