#pragma once
#include <cstdint>
#include <vector>

#include "base/result.h"

namespace beaconry {

// What a restricted program may ask of the kernel.
enum class SystemCallGroup : std::uint8_t {
  basic,    // memory, threads, time, signals, files below what their modes allow
  network,  // sockets of the families INET, INET6, UNIX and NETLINK; no packet sockets
  bpf,      // reading and changing maps, making links; no loading of programs
};

// Installs a seccomp filter for all threads of the process: other calls fail with EPERM and are
// named once each on standard error. Starting programs is in no group. REQUIRES no_new_privs.
Result<void> allow_system_calls(const std::vector<SystemCallGroup>& groups);

}  // namespace beaconry
