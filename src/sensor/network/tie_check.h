#pragma once

#include "base/result.h"
#include "image/manifest.h"
#include "sensor/network.h"

namespace beaconry {

// Whether a tie can ever hold, whatever the machine has: asked before anything is done, and again
// when it is made. `interface` is the manifest's of that name. Errors are words alone.
Result<void> check_tie(const InterfaceWish& wish, const Manifest::Interface& interface,
                       const Manifest& manifest);

}  // namespace beaconry
