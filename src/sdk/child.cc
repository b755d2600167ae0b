#include "sdk/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/log.h"

namespace beaconry::sdk {
namespace {

constexpr std::size_t kLastLines = 20;
constexpr std::size_t kReadAtOnce = 1 << 20;  // of one work(): a chatty child is not all there is

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts)
    out.push_back(const_cast<char*>(text.c_str()));  // execve() leaves them as they are
  out.push_back(nullptr);
  return out;
}

// A file without a name, that is nowhere but in memory: a pipe might be too short.
Result<Fd> nameless_file(std::string_view text) {
  Fd file(::memfd_create("input", MFD_CLOEXEC));
  if (!file) return fail_errno("make", "a program's input");
  while (!text.empty()) {
    const ssize_t wrote = ::write(file.get(), text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return fail_errno("write", "a program's input");
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno("write", "a program's input");
  return file;
}

// Without what run() holds back, else no SIGTERM would reach it. `input` of -1: nothing.
int spawn(const std::vector<std::string>& command, const std::vector<std::string>& environment,
          int input, int output, pid_t& pid) {
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view name =
        std::string_view(*one).substr(0, std::string_view(*one).find('='));
    const bool is_replaced =
        std::any_of(environment.begin(), environment.end(), [name](const std::string& own) {
          return std::string_view(own).substr(0, own.find('=')) == name;
        });
    if (!is_replaced) all.emplace_back(*one);
  }
  all.insert(all.end(), environment.begin(), environment.end());
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  if (input >= 0)
    ::posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  else
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
  sigset_t none, usual;
  ::sigemptyset(&none);
  ::sigfillset(&usual);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &usual);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  const int error = ::posix_spawnp(&pid, command[0].c_str(), &files, &attributes,
                                   pointers(command).data(), pointers(all).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace

Child::Child(Options options, OnLine on_line)
    : options_(std::move(options)), on_line_(std::move(on_line)) {}

Child::~Child() {
  on_line_ = {};
  stop();
}

Result<void> Child::start(Clock::time_point now) {
  wanted_ = true;
  if (is_running()) return {};
  if (options_.command.empty())
    return fail(ErrorKind::usage, "start", "a program", "none is named");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("make", "a pipe");
  Fd output(ends[0]);
  const Fd writer(ends[1]);
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
  Fd input;
  if (!options_.input.empty()) {
    auto made = nameless_file(options_.input);
    if (!made) return tl::unexpected<Error>(std::move(made.error()));
    input = std::move(*made);
  }
  pid_t pid = 0;
  const int error = spawn(options_.command, options_.environment, input.get(), writer.get(), pid);
  started_ = now;
  if (error != 0) {
    last_end_ = std::string("cannot be started: ") + std::strerror(error);
    plan_restart(now);
    return fail(ErrorKind::io, "start", options_.command[0], std::strerror(error));
  }
  pid_ = pid;
  output_ = std::move(output);
  line_.clear();
  cutting_ = false;
  return {};
}

void Child::work(Clock::time_point now) {
  if (is_running()) {
    read();
    if (!reap(false)) return;
    log_warning(options_.command[0] + " ended: " + last_end_);
    plan_restart(now);
  }
  if (!wanted_ || now < due_) return;
  ++restarts_;
  if (auto started = start(now); !started) log_warning(started.error().message());
}

void Child::plan_restart(Clock::time_point now) {
  wanted_ = wanted_ && options_.restart;
  const bool was_good = now - started_ >= options_.good_after;
  delay_ = was_good ? options_.first_delay
                    : std::clamp(delay_ * 2, options_.first_delay, options_.longest_delay);
  due_ = now + delay_;
}

bool Child::reap(bool wait) {
  // Left as it is first: as long as it is there, its group is its own.
  siginfo_t info{};
  int error = 0;
  do {
    error =
        ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT | (wait ? 0 : WNOHANG));
  } while (error != 0 && errno == EINTR);
  if (error == 0 && info.si_pid == 0) return false;
  ::kill(-pid_, SIGKILL);  // nothing of it stays behind
  int status = 0;
  const bool is_known = ::waitpid(pid_, &status, 0) == pid_;
  pid_ = 0;
  read();  // its last words
  finish_line();
  output_.reset();
  if (!is_known) {
    last_end_ = "an unknown end";
  } else {
    last_end_ = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                    : "status " + std::to_string(WEXITSTATUS(status));
  }
  return true;
}

void Child::stop() {
  wanted_ = false;
  delay_ = std::chrono::milliseconds{0};
  if (!is_running()) return;
  ::kill(-pid_, SIGTERM);
  const auto until = Clock::now() + options_.patience;
  while (!reap(false)) {
    if (Clock::now() >= until) {
      ::kill(-pid_, SIGKILL);
      reap(true);
      return;
    }
    read();  // one that waits for a full pipe would not end
    ::poll(nullptr, 0, 5);
  }
}

Result<void> Child::restart(std::vector<std::string> command, Clock::time_point now) {
  stop();
  options_.command = std::move(command);
  return start(now);
}

void Child::signal(int number) {
  if (is_running()) ::kill(-pid_, number);
}

void Child::read() {
  std::array<char, 16 << 10> block;
  for (std::size_t total = 0; output_ && total < kReadAtOnce;) {
    const ssize_t got = ::read(output_.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    total += static_cast<std::size_t>(got);
    take({block.data(), static_cast<std::size_t>(got)});
  }
}

void Child::take(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    const std::size_t room = options_.longest_line - line_.size();
    line_ += part.substr(0, room);
    if (part.size() > room && !cutting_) {
      cutting_ = true;
      ++cut_lines_;
    }
    if (end == std::string_view::npos) return;
    finish_line();
    bytes.remove_prefix(end + 1);
  }
}

void Child::finish_line() {
  cutting_ = false;
  if (line_.empty()) return;
  const std::string line = std::exchange(line_, {});
  last_lines_.push_back(line);
  if (last_lines_.size() > kLastLines) last_lines_.pop_front();
  if (on_line_) on_line_(line);
}

}  // namespace beaconry::sdk
