#include "sensor/network/child.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/find_program.h"
#include "base/text.h"

namespace beaconry {
namespace {

constexpr int kPatienceMs = 10'000;
constexpr int kCannotStart = 127;
constexpr std::size_t kMostWords = 2'000;

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& one : texts)
    all.push_back(one.data());
  all.push_back(nullptr);
  return all;
}

// Between fork and exec of a program with many threads: system calls only.
[[noreturn]] void become(const Child& child, char* const* command, char* const* environment) {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD})
    ::signal(signal, SIG_DFL);
  if (child.name_space >= 0 && ::setns(child.name_space, CLONE_NEWNET) != 0) ::_exit(kCannotStart);
  if (child.capture_rights_only) {
    for (int one = 0; one <= CAP_LAST_CAP; ++one) {
      if (one != CAP_NET_RAW && one != CAP_NET_BIND_SERVICE) ::prctl(PR_CAPBSET_DROP, one, 0, 0, 0);
    }
  }
  // Copies above what is overwritten first.
  const int nothing = ::open("/dev/null", O_RDWR);
  const int input = ::fcntl(child.input >= 0 ? child.input : nothing, F_DUPFD, kKeptAs + 1);
  const int errors = ::fcntl(child.errors >= 0 ? child.errors : nothing, F_DUPFD, kKeptAs + 1);
  const int kept = child.kept >= 0 ? ::fcntl(child.kept, F_DUPFD, kKeptAs + 1) : -1;
  const int output = ::fcntl(nothing, F_DUPFD, kKeptAs + 1);
  ::dup2(input, 0);
  ::dup2(output, 1);
  ::dup2(errors, 2);
  if (kept >= 0) ::dup2(kept, kKeptAs);
  ::syscall(SYS_close_range, 3U, static_cast<unsigned>(kKeptAs - (kept >= 0 ? 1 : 0)), 0);
  ::syscall(SYS_close_range, static_cast<unsigned>(kKeptAs + 1), ~0U, 0);
  ::execve(command[0], command, environment);
  ::_exit(kCannotStart);
}

Result<Fd> text_file(const char* name, std::string_view text) {
  Fd file(::memfd_create(name, MFD_CLOEXEC));
  if (!file ||
      ::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return fail_errno("write", name);
  return file;
}

}  // namespace

Result<pid_t> start_child(const Child& child) {
  std::vector<std::string> command = child.command;
  std::vector<std::string> environment = child.environment;
  environment.push_back("PATH=" + std::string(kUsualPath));
  const std::vector<char*> arguments = pointers(command), variables = pointers(environment);
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("start", child.command.front());
  if (pid == 0) become(child, arguments.data(), variables.data());
  return pid;
}

Result<void> run_program(const std::vector<std::string>& command, std::string_view input,
                         int name_space) {
  auto in = text_file("input", input);
  auto out = text_file("errors", "");
  if (!in || !out) return tl::unexpected<Error>((in ? out : in).error());
  Child child;
  child.command = command;
  child.name_space = name_space;
  child.input = in->get();
  child.errors = out->get();
  const auto pid = start_child(child);
  if (!pid) return tl::unexpected<Error>(pid.error());
  const Fd ended(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  pollfd waiting{ended.get(), POLLIN, 0};
  int ready;
  do {
    ready = ::poll(&waiting, 1, kPatienceMs);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) ::kill(*pid, SIGKILL);
  int status = 0;
  while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (ready == 0)
    return fail(ErrorKind::io, "run", command.front(), "it took longer than 10 s and was ended");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  std::array<char, kMostWords> words;
  const ssize_t said = ::pread(out->get(), words.data(), words.size(), 0);
  const std::string text(words.data(), said > 0 ? static_cast<std::size_t>(said) : 0);
  return fail(
      ErrorKind::io, "run", command.front(),
      text.empty() ? "it ended with status " + std::to_string(status) : std::string(trim(text)));
}

}  // namespace beaconry
