#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "sensor/lxd_connection.h"
#include "sensor/runtime.h"

namespace beaconry::lxd {

// What running containers use, from the kernel. LXD tells it too, but starts a program in each
// container to do so (40 ms of CPU each on a small machine), which is much for a look every two
// seconds: so it is asked only for the process number of each new start. Any thread.
class Usage {
 public:
  explicit Usage(const Connection& lxd) : lxd_(lxd) {}
  // Fills process, memory, processes and cpu_ns of a running one. What cannot be read stays zero.
  void fill(ContainerState& state);
  void forget(const std::string& name);

 private:
  struct Process {
    int id = 0;
    std::uint64_t started = 0;  // in the kernel's ticks: an id is used again
  };
  const Connection& lxd_;
  std::mutex mutex_;
  std::map<std::string, Process> processes_;
};

// When the process began, in clock ticks since the boot; nothing: there is none.
std::optional<std::uint64_t> start_of_process(int id);

}  // namespace beaconry::lxd
