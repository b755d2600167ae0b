#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image/image.h"
#include "sensor/desired_state.h"
#include "sensor/runtime.h"

namespace beaconry {

// Room for an image's container, its rollback copy and its volumes. `promised` is what the quotas
// of volumes that are there may still grow by; `has_volumes`: its own are among them. Refused with
// numbers (ErrorKind::limit). Space that is unknown (total 0) refuses nothing.
Result<void> admit(const ImageInfo& image, const PoolSpace& space, std::uint64_t promised,
                   bool has_volumes);

// Whether an image may take the place of another, or begin.
struct Verdict {
  bool permitted = false;
  std::string cause;                        // why not
  std::vector<std::string> wants_approval;  // what it may do more than `before`
};
// `before`: nullptr at the first install, when only dangerous capabilities need an approval.
Verdict judge(const ImageInfo& image, const Manifest* before, const InstanceWish& wish);

// Whether the configuration and the interfaces of a wish are such that the manifest takes.
Result<void> check_wish(const InstanceWish& wish, const Manifest& manifest);

}  // namespace beaconry
