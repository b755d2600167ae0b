#include "base/open_files.h"

#include <sys/resource.h>

#include <algorithm>
#include <string>

#include "base/log.h"

namespace beaconry {
namespace {

// Descriptors that the rest of the program needs.
constexpr std::size_t kSparedDescriptors = 256;

}  // namespace

std::size_t allowed_connections(std::size_t wanted, std::string_view who) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  const std::size_t most = limit.rlim_cur;
  const std::size_t allowed = most > 2 * kSparedDescriptors ? most - kSparedDescriptors : most / 2;
  if (allowed >= wanted) return std::max<std::size_t>(1, wanted);
  // A little less is what users need not hear of.
  log(allowed < wanted / 2 ? LogLevel::warning : LogLevel::debug,
      std::string(who) + ": " + std::to_string(wanted) + " connections are wanted, but only " +
          std::to_string(most) + " open files allowed (RLIMIT_NOFILE): at most " +
          std::to_string(allowed) + " connections");
  return allowed;
}

}  // namespace beaconry
