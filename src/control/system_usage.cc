#include "control/system_usage.h"

#include <dirent.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

namespace beaconry {
namespace {

double seconds_since_boot() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Field 22 of proc(5) stat, in clock ticks after boot; the name before it may hold blanks.
double started_after_boot() {
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream rest(line.substr(name_end + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i)
    rest >> field;
  return std::strtod(field.c_str(), nullptr) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

SystemUsage system_usage() {
  SystemUsage usage;
  rusage resources{};
  getrusage(RUSAGE_SELF, &resources);
  const double lived = seconds_since_boot() - started_after_boot();
  if (lived > 0) {
    usage.cpu_percent = 100 * (seconds(resources.ru_utime) + seconds(resources.ru_stime)) / lived;
  }
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  if (statm >> total >> resident) {
    usage.memory_mb =
        static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
  }
  struct Close {
    void operator()(DIR* folder) const { closedir(folder); }
  };
  const std::unique_ptr<DIR, Close> folder(opendir("/proc/self/fd"));
  while (folder && readdir(folder.get()) != nullptr)
    ++usage.open_fds;
  constexpr std::uint64_t kNotFiles = 3;  // ".", ".." and the folder itself
  usage.open_fds -= usage.open_fds >= kNotFiles ? kNotFiles : usage.open_fds;
  return usage;
}

}  // namespace beaconry
