#include "sensor/lxd_calls.h"

#include <string_view>

#include "base/text.h"

namespace beaconry::lxd {
namespace {

// All of x86-64 but: what loads or changes a kernel (as LXD's own list denies), files by handle,
// io_uring, whose rings open sockets past any filter, and what no kernel has any more. What needs a
// right is guarded by capabilities.
constexpr std::string_view kCalls =
    "accept accept4 access acct add_key adjtimex alarm arch_prctl bind bpf brk capget capset "
    "chdir chmod chown chroot clock_adjtime clock_getres clock_gettime clock_nanosleep "
    "clock_settime clone clone3 close close_range connect copy_file_range creat dup dup2 dup3 "
    "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd "
    "eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate "
    "fanotify_init fanotify_mark fchdir fchmod fchmodat fchown fchownat fcntl fdatasync "
    "fgetxattr flistxattr flock fork fremovexattr fsconfig fsetxattr fsmount fsopen fspick "
    "fstat fstatfs fsync ftruncate futex futex_waitv futimesat get_mempolicy get_robust_list "
    "get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups "
    "getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid "
    "getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid "
    "getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel "
    "io_destroy io_getevents io_pgetevents io_setup io_submit ioctl ioperm iopl ioprio_get "
    "ioprio_set kcmp keyctl kill landlock_add_rule landlock_create_ruleset "
    "landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr "
    "lremovexattr lseek lsetxattr lstat madvise mbind membarrier memfd_create memfd_secret "
    "migrate_pages mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap modify_ldt "
    "mount mount_setattr move_mount move_pages mprotect mq_getsetattr mq_notify mq_open "
    "mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock "
    "munlockall munmap name_to_handle_at nanosleep newfstatat open open_tree openat openat2 "
    "pause perf_event_open personality pidfd_getfd pidfd_open pidfd_send_signal pipe pipe2 "
    "pivot_root pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 "
    "prlimit64 process_madvise process_mrelease process_vm_readv process_vm_writev pselect6 "
    "ptrace pwrite64 pwritev pwritev2 quotactl quotactl_fd read readahead readlink readlinkat "
    "readv reboot recvfrom recvmmsg recvmsg remap_file_pages removexattr rename renameat "
    "renameat2 request_key restart_syscall rmdir rseq rt_sigaction rt_sigpending "
    "rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
    "rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity "
    "sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity "
    "sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget "
    "semop semtimedop sendfile sendmmsg sendmsg sendto set_mempolicy set_mempolicy_home_node "
    "set_robust_list set_thread_area set_tid_address setdomainname setfsgid setfsuid setgid "
    "setgroups sethostname setitimer setns setpgid setpriority setregid setresgid setresuid "
    "setreuid setrlimit setsid setsockopt settimeofday setuid setxattr shmat shmctl shmdt "
    "shmget shutdown sigaltstack signalfd signalfd4 socketpair splice stat statfs statx "
    "swapoff swapon symlink symlinkat sync sync_file_range syncfs sysinfo syslog tee tgkill "
    "time timer_create timer_delete timer_getoverrun timer_gettime timer_settime "
    "timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink "
    "unlinkat unshare userfaultfd utime utimensat utimes vfork vhangup vmsplice wait4 waitid "
    "write writev";

}  // namespace

// LXC adds each rule for 64 bits and for x32 and i386 alike, and passes over a call that i386 has
// by two doors, such as `socket`: a list of denials leaves that open, a list of what is allowed
// closes it. i386's own calls, among them `socketcall`, stand in no list; no program of 32 bits
// runs.
std::string call_policy() {
  std::string policy = "2\nallowlist errno 38\n[all]\n";
  for (const std::string_view call : split(kCalls, ' '))
    policy.append(call).append("\n");
  // What an AF_XDP socket (44) sends passes no hook of nftables, so that a contract would not hold
  // on an interface that was moved in. "Lower than", since the kernel looks at 32 bits of the 64.
  policy += "socket allow [0,44,SCMP_CMP_LT]\n";
  policy += "umount2 allow [1,0,SCMP_CMP_MASKED_EQ,1]\n";  // not by force, as LXD has it
  return policy;
}

}  // namespace beaconry::lxd
