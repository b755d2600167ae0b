#include "common/child.h"

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
#include <utility>

namespace beaconry {
namespace {

constexpr std::size_t kMostAtOnce = 512 << 10;
constexpr std::chrono::milliseconds kBetweenLooks{10};
constexpr std::chrono::seconds kLongestPause{60};

// A file without a name: what is in it is neither on a disk nor in a pipe that might be too short.
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

}  // namespace

Result<std::unique_ptr<Child>> Child::start(const Options& options) {
  if (options.command.empty()) return fail(ErrorKind::usage, "start", "", "no program is named");
  const std::string& program = options.command.front();
  auto input = nameless_file(options.input);
  if (!input) return tl::unexpected<Error>(std::move(input.error()));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("start", program);
  Fd ours(ends[0]), theirs(ends[1]);
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input->get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // What we block or ignore is not the program's affair.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> arguments;
  for (const std::string& word : options.command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int failed =
      ::posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    errno = failed;
    return fail_errno("start", program);
  }
  return std::unique_ptr<Child>(new Child(pid, std::move(ours), options.longest_line));
}

Child::~Child() {
  end(std::chrono::seconds{1});
}

void Child::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

bool Child::reap(bool wait) {
  if (pid_ <= 0) return true;
  int status = 0;
  pid_t got = 0;
  do {
    got = ::waitpid(pid_, &status, wait ? 0 : WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return false;
  pid_ = 0;
  ending_ = got < 0               ? "ended, nobody knows how"
            : WIFSIGNALED(status) ? "was killed by signal " + std::to_string(WTERMSIG(status))
                                  : "ended with status " + std::to_string(WEXITSTATUS(status));
  return true;
}

void Child::end(std::chrono::milliseconds patience) {
  if (pid_ <= 0) return;
  signal(SIGTERM);
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!reap(false)) {
    if (std::chrono::steady_clock::now() >= until) {
      signal(SIGKILL);
      reap(true);
      return;
    }
    // Its output must not stop it from ending.
    char waste[4096];
    while (output_ && ::read(output_.get(), waste, sizeof waste) > 0) {
    }
    ::poll(nullptr, 0, static_cast<int>(kBetweenLooks.count()));
  }
}

void Child::take(std::string_view bytes, const std::function<void(std::string_view)>& line) {
  while (!bytes.empty()) {
    const std::size_t stop = bytes.find('\n');
    const std::string_view part = bytes.substr(0, stop);
    line_ += part.substr(0, longest_line_ - std::min(longest_line_, line_.size()));
    if (stop == std::string_view::npos) return;
    line(std::exchange(line_, {}));
    bytes.remove_prefix(stop + 1);
  }
}

void Child::work(const std::function<void(std::string_view)>& line) {
  const bool ended = reap(false);  // before reading: then all that it wrote is there
  std::array<char, 16 << 10> bytes;
  for (std::size_t had = 0; output_ && had < kMostAtOnce;) {
    const ssize_t got = ::read(output_.get(), bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      if (got == 0 || errno != EAGAIN || ended) {
        output_.reset();
        if (!line_.empty()) line(std::exchange(line_, {}));
      }
      break;
    }
    had += static_cast<std::size_t>(got);
    take({bytes.data(), static_cast<std::size_t>(got)}, line);
  }
}

void Backoff::ended(Clock::time_point now) {
  if (now - started_ >= kLongestPause) ends_ = 0;
  next_ = now + std::min<Clock::duration>(
                    kLongestPause,
                    std::chrono::seconds{std::int64_t{1} << std::min<std::uint64_t>(ends_, 6)});
  ++ends_;
}

void Backoff::reset() {
  next_ = {};
  ends_ = 0;
}

}  // namespace beaconry
