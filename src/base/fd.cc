#include "base/fd.h"

namespace beaconry {

Result<Fd> Fd::open_for_reading(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail_errno("open", path);
  return Fd(fd);
}

}  // namespace beaconry
