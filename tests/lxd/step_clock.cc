// Sets the clock of the day of one program, whose LD_PRELOAD this is, and of no other: ahead or
// back by the seconds that the file BEACONRY_TEST_CLOCK holds, as they are now. There is one clock
// for a whole machine, which a test leaves alone, and time namespaces do not have it.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

namespace {

constexpr std::size_t kLength = 16;  // of the file: digits and blanks

const char* open_offset() {
  const char* const path = std::getenv("BEACONRY_TEST_CLOCK");
  if (path == nullptr) return nullptr;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* const text = ::mmap(nullptr, kLength, PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  return text == MAP_FAILED ? nullptr : static_cast<const char*>(text);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) {
  using Function = int (*)(clockid_t, timespec*);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "clock_gettime"));
  static const char* const offset = open_offset();
  const int status = real(clock, time);
  if (status == 0 && clock == CLOCK_REALTIME && offset != nullptr)
    time->tv_sec += std::strtol(offset, nullptr, 10);
  return status;
}
