#pragma once

#include <string>
#include <vector>

#include "sensor/lxd_containers.h"

namespace beaconry::lxd {

// Runs a command in a running container. LXD writes its output into files beside its logs, which
// are looked at while it runs and removed after. A command that takes longer or writes more than 1
// MiB is killed with what it began: they are found by a variable in their environment.
Result<Runtime::Executed> execute(const Connection& lxd, const Containers& containers,
                                  const std::string& name, const std::vector<std::string>& command,
                                  unsigned seconds);

}  // namespace beaconry::lxd
