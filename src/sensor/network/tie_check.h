#pragma once

#include "base/result.h"
#include "image/manifest.h"
#include "sensor/network.h"

namespace beaconry {

// What the kernel takes as one, and rules and files can hold.
bool is_interface_name(const std::string& name);

// Whether a tie can ever hold, whatever the machine has: asked before anything is done, and again
// when it is made. `interface` is the manifest's of that name. Errors are words alone.
Result<void> check_tie(const InterfaceWish& wish, const Manifest::Interface& interface,
                       const Manifest& manifest);

// Whether the machine keeps what `reserved` names: the interfaces of its way to the server.
Result<void> check_way(const InterfaceWish& wish, const std::vector<std::string>& reserved);

}  // namespace beaconry
