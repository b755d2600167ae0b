#include "sensor/network/name_space.h"

#include <sched.h>
#include <sys/stat.h>

#include <thread>

namespace beaconry {

Result<NameSpace> NameSpace::open(const std::string& path) {
  auto file = Fd::open_for_reading(path);
  if (!file) return tl::unexpected<Error>(file.error());
  NameSpace space;
  space.descriptor_ = std::move(*file);
  return space;
}

Result<NameSpace> NameSpace::of_process(int process) {
  return open("/proc/" + std::to_string(process) + "/ns/net");
}

Result<NameSpace> NameSpace::own() {
  return open("/proc/thread-self/ns/net");
}

Result<void> NameSpace::within(const std::function<Result<void>()>& work) const {
  Result<void> result;
  std::thread([&] {
    if (::setns(descriptor_.get(), CLONE_NEWNET) != 0) {
      result = fail_errno("enter", "the container's network namespace");
    } else {
      result = work();
    }
  }).join();
  return result;
}

bool NameSpace::operator==(const NameSpace& other) const {
  struct stat one {
  }, two{};
  return ::fstat(descriptor_.get(), &one) == 0 && ::fstat(other.descriptor_.get(), &two) == 0 &&
         one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

}  // namespace beaconry
