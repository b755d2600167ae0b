#pragma once
#include <cstdint>

namespace beaconry {

// What this process takes of the machine.
struct SystemUsage {
  double cpu_percent = 0;  // of one processor, on average since the process began
  double memory_mb = 0;    // resident
  std::uint64_t open_fds = 0;
};
SystemUsage system_usage();

}  // namespace beaconry
