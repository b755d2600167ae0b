// Preloaded into a program, gives it a wall clock of its own: the seconds in the file that
// BEACONRY_CLOCK_STEP names (a 64-bit number, which may change at any time) are added.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int (*real)(clockid_t, struct timespec*);
static volatile const int64_t* step;

static void begin(void) {
  real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
}

__attribute__((constructor)) static void map_step(void) {
  const char* path = getenv("BEACONRY_CLOCK_STEP");
  const int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void* at = mmap(NULL, sizeof *step, PROT_READ, MAP_SHARED, file, 0);
  if (at != MAP_FAILED) step = at;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec* time) {
  if (!real) begin();
  const int result = real(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME && step) time->tv_sec += *step;
  return result;
}
