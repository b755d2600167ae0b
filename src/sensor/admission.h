#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "image/image.h"
#include "sensor/desired_state.h"
#include "sensor/runtime.h"

namespace beaconry {

// What an instance's volumes hold.
struct VolumesUsed {
  std::uint64_t persistent = 0, transient = 0;
};
// What they may still grow by.
std::uint64_t growth(const Manifest::Limits& limits, const VolumesUsed& used);
// Of an image that is to come: its container and the copy that an update goes back to.
std::uint64_t copies(const ImageInfo& image);

// Room for an image's container, its rollback copy and its volumes, of which `used` is there.
// `promised`: what all others may still grow by. Refused with numbers (ErrorKind::limit). Space
// that is unknown (total 0) refuses nothing.
Result<void> admit(const ImageInfo& image, const PoolSpace& space, std::uint64_t promised,
                   const VolumesUsed& used);

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
// The same of a part; errors are words alone.
Result<void> check_interfaces(const std::vector<InterfaceWish>& wishes, const Manifest& manifest);
Result<void> check_config_of(const std::string& config_json, const Manifest& manifest);

}  // namespace beaconry
