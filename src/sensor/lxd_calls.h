#pragma once

#include <string>

namespace beaconry::lxd {

// The kernel's calls that a container may make, in LXC's words (raw.seccomp); all others end with
// ENOSYS.
std::string call_policy();

}  // namespace beaconry::lxd
