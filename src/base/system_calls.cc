#include "base/system_calls.h"

#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>

namespace beaconry {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the system call filter knows x86-64 and arm64 only: add the architecture's audit number"
#endif

// clang-format off
constexpr long kBasic[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2, SYS_pwritev2, SYS_close, SYS_lseek,
    SYS_fstat, SYS_newfstatat, SYS_statx, SYS_statfs, SYS_fstatfs, SYS_faccessat, SYS_openat,
    SYS_openat2, SYS_getdents64, SYS_readlinkat, SYS_mkdirat, SYS_unlinkat, SYS_renameat2,
    SYS_ftruncate, SYS_truncate, SYS_fallocate, SYS_fsync, SYS_fdatasync, SYS_flock, SYS_fcntl,
    SYS_fchmod, SYS_fchmodat, SYS_umask, SYS_utimensat, SYS_sendfile, SYS_copy_file_range,
    SYS_dup, SYS_dup3, SYS_pipe2, SYS_ioctl, SYS_getcwd, SYS_linkat,
    SYS_mmap, SYS_mprotect, SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk, SYS_membarrier,
    SYS_mlock, SYS_munlock, SYS_msync, SYS_mincore,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigtimedwait, SYS_rt_sigpending,
    SYS_rt_sigsuspend, SYS_sigaltstack, SYS_signalfd4, SYS_tgkill, SYS_tkill, SYS_kill,
    SYS_restart_syscall,
    SYS_futex, SYS_set_robust_list, SYS_get_robust_list, SYS_set_tid_address, SYS_exit,
    SYS_exit_group, SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_getparam,
    SYS_sched_getscheduler, SYS_getcpu, SYS_prctl,
    SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday,
    SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime, SYS_times,
    SYS_pselect6, SYS_ppoll, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2,
    SYS_inotify_init1, SYS_inotify_add_watch, SYS_inotify_rm_watch,
    SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
    SYS_getresuid, SYS_getresgid, SYS_getgroups, SYS_getpgid, SYS_getsid, SYS_capget, SYS_uname,
    SYS_sysinfo, SYS_getrusage, SYS_prlimit64, SYS_getrandom, SYS_getpriority,
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef SYS_epoll_pwait2
    SYS_epoll_pwait2,
#endif
#ifdef SYS_futex_waitv
    SYS_futex_waitv,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
#ifdef SYS_getrlimit
    SYS_getrlimit,
#endif
#ifdef SYS_open  // what arm64 never had
    SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_mkdir, SYS_rmdir, SYS_unlink,
    SYS_rename, SYS_chmod, SYS_dup2, SYS_pipe, SYS_poll, SYS_select, SYS_epoll_wait, SYS_time,
    SYS_arch_prctl, SYS_getpgrp,
#endif
};
constexpr long kNetwork[] = {
    SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_getsockname, SYS_getpeername,
    SYS_getsockopt, SYS_setsockopt, SYS_sendto, SYS_sendmsg, SYS_sendmmsg, SYS_recvfrom,
    SYS_recvmsg, SYS_recvmmsg, SYS_shutdown,
};
constexpr std::uint32_t kFamilies[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
constexpr std::uint32_t kBpfCommands[] = {
    BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM, BPF_MAP_GET_NEXT_KEY,
    BPF_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_LOOKUP_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH,
    BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_BATCH, BPF_OBJ_GET_INFO_BY_FD, BPF_LINK_CREATE,
    BPF_LINK_DETACH, BPF_PROG_TEST_RUN,
};
// clang-format on

constexpr std::uint32_t kNewNamespaces = 0x7e020080;  // CLONE_NEW*

// The filter, classic BPF over seccomp_data, as it is put together.
class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    unless_equal_then(kArchitecture, SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
  }

  void allow(long number) { on_equal(static_cast<std::uint32_t>(number), SECCOMP_RET_ALLOW); }
  void fail_with(long number, unsigned error) {
    on_equal(static_cast<std::uint32_t>(number), SECCOMP_RET_ERRNO | error);
  }
  // Only with one of these as its first argument, of which the kernel takes the lower half.
  template <std::size_t N>
  void allow_first_argument(long number, const std::uint32_t (&values)[N]) {
    // Load, two for each value, refuse; skipped when it is another call.
    skip_unless(static_cast<std::uint32_t>(number), static_cast<std::uint8_t>(2 * N + 2));
    load(kFirstArgument);
    for (const std::uint32_t value : values)
      on_equal(value, SECCOMP_RET_ALLOW);
    answer(SECCOMP_RET_TRAP);
  }
  // Only with none of these bits in its first argument.
  void allow_without_bits(long number, std::uint32_t bits) {
    skip_unless(static_cast<std::uint32_t>(number), 4);
    load(kFirstArgument);
    code_.push_back({BPF_JMP | BPF_JSET | BPF_K, 0, 1, bits});
    answer(SECCOMP_RET_TRAP);
    answer(SECCOMP_RET_ALLOW);
  }
  std::vector<sock_filter>& finish() {
    answer(SECCOMP_RET_TRAP);
    return code_;
  }

 private:
  // Little-endian: the lower half of a 64-bit argument comes first.
  static constexpr std::uint32_t kFirstArgument = offsetof(seccomp_data, args);

  void load(std::uint32_t offset) { code_.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, offset}); }
  void answer(std::uint32_t value) { code_.push_back({BPF_RET | BPF_K, 0, 0, value}); }
  void on_equal(std::uint32_t value, std::uint32_t result) {
    skip_unless(value, 1);
    answer(result);
  }
  void skip_unless(std::uint32_t value, std::uint8_t instructions) {
    code_.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, instructions, value});
  }
  void unless_equal_then(std::uint32_t value, std::uint32_t result) {
    code_.push_back({BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value});
    answer(result);
  }

  std::vector<sock_filter> code_;
};

std::atomic<std::uint64_t> refused_before[16];  // one bit a system call, for the first 1,024

// Runs within the refused call: only what is safe in a signal's handler.
void say_refused(int /*signal*/, siginfo_t* info, void* context) {
  const auto number = static_cast<unsigned>(info->si_syscall);
  auto& word = refused_before[number / 64 % std::size(refused_before)];
  const std::uint64_t bit = std::uint64_t{1} << (number % 64);
  if ((word.fetch_or(bit, std::memory_order_relaxed) & bit) == 0) {
    char text[] = "refused system call           : not one that this program needs\n";
    char* digit = text + sizeof "refused system call         " - 1;
    for (unsigned rest = number, places = 0; places < 8 && (places == 0 || rest != 0);
         rest /= 10, ++places) {
      *digit-- = static_cast<char>('0' + rest % 10);
    }
    const int saved = errno;
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text, sizeof text - 1);
    errno = saved;
  }
  auto* machine = &static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  machine->gregs[REG_RAX] = -EPERM;
#else
  machine->regs[0] = static_cast<std::uint64_t>(-EPERM);
#endif
}

}  // namespace

Result<void> allow_system_calls(const std::vector<SystemCallGroup>& groups) {
  Filter filter;
  const auto has = [&](SystemCallGroup group) {
    return std::find(groups.begin(), groups.end(), group) != groups.end();
  };
  if (has(SystemCallGroup::basic)) {
    for (const long number : kBasic)
      filter.allow(number);
    // Its flags lie in memory, where no filter sees them; libc then uses clone().
    filter.fail_with(SYS_clone3, ENOSYS);
    filter.allow_without_bits(SYS_clone, kNewNamespaces);
  }
  if (has(SystemCallGroup::network)) {
    for (const long number : kNetwork)
      filter.allow(number);
    filter.allow_first_argument(SYS_socket, kFamilies);
    filter.allow_first_argument(SYS_socketpair, kFamilies);
  }
  if (has(SystemCallGroup::bpf)) filter.allow_first_argument(SYS_bpf, kBpfCommands);
  std::vector<sock_filter>& code = filter.finish();

  struct sigaction action {};
  action.sa_sigaction = say_refused;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  if (::sigaction(SIGSYS, &action, nullptr) != 0) return fail_errno("handle", "SIGSYS");
  sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  const long failed =
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  if (failed != 0) {
    if (failed > 0) errno = ESRCH;  // a thread that could not be brought along
    return fail_errno("install", "the system call filter");
  }
  return {};
}

}  // namespace beaconry
