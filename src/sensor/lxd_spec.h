#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "sensor/lxd_json.h"
#include "sensor/runtime.h"

namespace beaconry::lxd {

constexpr std::uint64_t kIdsOfOne = 65'536;  // of a container with an isolated map

// A container as LXD is asked for it: everything that isolates it stands in the instance itself, so
// that a changed profile weakens nothing. Names and paths are checked: none of them may say more to
// LXD than it seems to.
Result<void> check(const ContainerSpec& spec);
Result<void> check_name(const std::string& name);
Result<void> check_volume_name(const std::string& name);

struct Placement {
  std::string pool, profile;
  // Where the ids of the container begin on the host; empty: LXD chooses. Containers that have a
  // volume in common need the same.
  std::string first_id;
};
// Without its labels but the one that says that it is ours: they come when it is made whole.
Json body_of(const ContainerSpec& spec, const Placement& placement);
Json nic_devices(const std::vector<ContainerSpec::Nic>& nics);

// What LXD has no key of its own for, in LXC's.
std::string raw_lxc(const ContainerSpec& spec);

}  // namespace beaconry::lxd
