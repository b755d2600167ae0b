#pragma once

#include <cstdint>
#include <string>

#include "sensor/lxd_containers.h"

namespace beaconry::lxd {

// A file of a container to a file of the host, a piece at a time; what is there takes its place
// only when the whole has come. Regular files only: a link that the container set is not followed.
Result<void> pull(const Connection& lxd, const Containers& containers, const std::string& name,
                  const std::string& path, const std::string& to, std::uint64_t most_bytes);

// The end of a container's console. LXC keeps the last 128 KiB of it in a file, which is read where
// it lies, as reading by LXD's API empties it: then what was read while the container ran would be
// missing after its death. A start begins it anew, a rename loses it.
Result<std::string> console_log(const Connection& lxd, const Containers& containers,
                                const std::string& name, std::size_t most_bytes);

}  // namespace beaconry::lxd
