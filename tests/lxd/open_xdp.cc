// Tries to open an AF_XDP socket, which sends past nftables, by the doors of the kernel that
// the containers' filter closes: a look at the plain call's number and argument alone would leave
// the others open. (The 32-bit call `socket` LXC cannot filter.)
// Says SUCCEEDED for each that opens, and at the end how the plain call was refused.
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace {

constexpr long kXdp = 44, kRingSetup = 425;

void tell(const char* way, long result) {
  if (result >= 0) std::printf("SUCCEEDED %s\n", way);
}

#ifdef __x86_64__
// As a program of 32 bits calls.
long call_32(long number, long first, long second, long third) {
  long result = number;
  __asm__ volatile("int $0x80"
                   : "+a"(result)
                   : "b"(first), "c"(second), "d"(third)
                   : "memory", "r8", "r9", "r10", "r11");
  return result;
}

void try_other_doors() {
  constexpr long kX32 = 0x40000000, kSocketCall32 = 102, kCallSocket = 1, kSocket32 = 359;
  tell("as x32", ::syscall(kX32 | SYS_socket, kXdp, SOCK_RAW, 0));
  tell("as i386", call_32(kSocket32, kXdp, SOCK_RAW, 0));
  void* const low =
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (low == MAP_FAILED) return;
  auto* const arguments = static_cast<std::int32_t*>(low);
  arguments[0] = kXdp;
  arguments[1] = SOCK_RAW;
  arguments[2] = 0;
  tell("by socketcall", call_32(kSocketCall32, kCallSocket,
                                static_cast<long>(reinterpret_cast<std::intptr_t>(low)), 0));
}
#else
void try_other_doors() {}
#endif

}  // namespace

int main() {
  const int other = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (other < 0) std::puts("no other socket can be opened either");
  // The kernel looks at the lower half of the argument.
  tell("with bits above the family", ::syscall(SYS_socket, kXdp | 1L << 32, SOCK_RAW, 0));
  try_other_doors();
  // A ring opens sockets by itself.
  alignas(8) std::uint8_t parameters[120] = {};
  tell("by io_uring", ::syscall(kRingSetup, 1, parameters));
  const int plain = ::socket(static_cast<int>(kXdp), SOCK_RAW, 0);
  const int cause = errno;
  tell("plainly", plain);
  std::puts(plain < 0 ? std::strerror(cause) : "");
}
