#include "sensor/process_ends.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

namespace beaconry {

void ProcessEnds::watch(const std::set<int>& processes) {
  std::erase_if(watched_, [&](const auto& one) { return processes.count(one.first) == 0; });
  for (const int process : processes) {
    if (watched_.count(process) != 0) continue;
    Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
    if (handle) watched_.emplace(process, std::move(handle));
  }
}

bool ProcessEnds::has_one_ended() const {
  std::vector<pollfd> all;
  for (const auto& [process, handle] : watched_)
    all.push_back({handle.get(), POLLIN, 0});
  return ::poll(all.data(), all.size(), 0) > 0;
}

}  // namespace beaconry
