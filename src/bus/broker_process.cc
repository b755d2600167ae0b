#include "bus/broker_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "bus/mqtt_client.h"

namespace beaconry {
namespace {

constexpr std::size_t kLogTail = 8 << 10;
constexpr int kSocketFolder = 3;  // its descriptor in the child
// A container is let open a few thousand (sensor/lxd_spec.cc), and may use all of them here.
constexpr rlim_t kMostOpenFiles = 65536;
constexpr auto kPatience = std::chrono::seconds{1};

std::string configuration(const BrokerProcess::Options& options) {
  // Bounds: one packet as long as a message may be with its topic, and for a client that does not
  // read 1,000 messages or 8 MiB; what is past them is dropped by the broker, and sent again by its
  // sender's outbox. Messages of QoS 0 to one that does not read are bounded by their number alone,
  // so by the memory: memory_limit is not used, past it the broker cuts off the platform and does
  // not recover. Past the limit of addresses it passes nothing on while that one stays: BusProbe.
  return "per_listener_settings false\n"
         "listener 0 /proc/self/fd/" +
         std::to_string(kSocketFolder) + "/" + BrokerProcess::kSocketName +
         "\n"
         "allow_anonymous false\n"
         "allow_zero_length_clientid false\n"
         "plugin " +
         options.plugin +
         "\n"
         "plugin_opt_config_file accounts.json\n"
         "persistence false\n"
         "persistent_client_expiration 1h\n"
         "retain_available false\n"
         "max_packet_size " +
         std::to_string(MqttClient::kLongestPacket) +
         "\n"
         "max_inflight_messages 64\n"
         "max_queued_messages 1000\n"
         "max_queued_bytes 8388608\n"
         "sys_interval 0\n"
         "log_dest stderr\n"
         "log_timestamp false\n"
         "log_type error\n"
         "log_type warning\n"
         "log_type notice\n";
}

std::string link_target(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  return size < 0 ? std::string{} : std::string(target.data(), static_cast<std::size_t>(size));
}

// A broker whose working folder is ours. Its program may have been replaced since it was started.
bool is_ours(const std::string& process, const std::string& folder) {
  std::string program = link_target(process + "/exe");
  if (const auto mark = program.rfind(" (deleted)"); mark != std::string::npos)
    program.resize(mark);
  return program.ends_with("/mosquitto") && link_target(process + "/cwd") == folder;
}

void end_left_over(const std::string& folder) {
  DIR* processes = ::opendir("/proc");
  if (processes == nullptr) return;
  while (const dirent* entry = ::readdir(processes)) {
    const auto pid = parse_unsigned(entry->d_name);
    const std::string process = std::string("/proc/") + entry->d_name;
    if (!pid || *pid > INT_MAX || !is_ours(process, folder)) continue;
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<int>(*pid), 0)));
    // Looked at again: what the handle means can be no other process any more.
    if (!handle || !is_ours(process, folder)) continue;
    log_info("bus: ending the broker that an earlier run left, process " + std::to_string(*pid));
    ::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0);
    pollfd ended{handle.get(), POLLIN, 0};
    ::poll(&ended, 1, static_cast<int>(std::chrono::milliseconds{kPatience}.count()));
  }
  ::closedir(processes);
}

// Everything that the child needs, made before the fork: after it nothing may allocate.
struct Child {
  const char* program;
  int state_folder, socket_folder, log;
  const Account* account;
  bool is_root;
  rlim_t most_memory;
};

[[noreturn]] void become_broker(const Child& child) {
  const auto give_up = [](const char* what) {
    [[maybe_unused]] auto told = ::write(STDERR_FILENO, what, std::strlen(what));
    ::_exit(127);
  };
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nowhere = ::open("/dev/null", O_RDWR);
  ::dup2(nowhere, STDIN_FILENO);
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(child.log, STDERR_FILENO);
  ::setsid();  // a Ctrl-C at the daemon's terminal is the daemon's
  if (::fchdir(child.state_folder) != 0) give_up("cannot enter its folder\n");
  if (child.socket_folder == kSocketFolder) {
    ::fcntl(kSocketFolder, F_SETFD, 0);
  } else if (::dup2(child.socket_folder, kSocketFolder) < 0) {
    give_up("cannot hand in the socket's folder\n");
  }
  ::syscall(SYS_close_range, kSocketFolder + 1, ~0U, 0);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = std::min(files.rlim_max, kMostOpenFiles);
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  const rlimit memory{child.most_memory, child.most_memory};
  if (::setrlimit(RLIMIT_AS, &memory) != 0) give_up("cannot limit its memory\n");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up("cannot give up privileges\n");
  if (child.is_root &&
      (::setgroups(1, &child.account->gid) != 0 ||
       ::setresgid(child.account->gid, child.account->gid, child.account->gid) != 0 ||
       ::setresuid(child.account->uid, child.account->uid, child.account->uid) != 0)) {
    give_up("cannot become its user\n");
  }
  ::execl(child.program, "mosquitto", "-c", "mosquitto.conf", static_cast<char*>(nullptr));
  give_up("cannot be started\n");
  ::_exit(127);
}

// The folder itself, never by a link: what lies in it may be the broker's.
Result<void> give_folder(const std::string& path, uid_t uid, gid_t gid, mode_t mode) {
  const Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return fail_errno("open folder", path);
  if (::geteuid() == 0 && ::fchown(folder.get(), uid, gid) != 0) {
    return fail_errno("give away folder", path);
  }
  if (::fchmod(folder.get(), mode) != 0) return fail_errno("set the mode of", path);
  return {};
}

// The broker reads its configuration and cannot write it, nor anything beside it: we write there,
// and a broker that was taken over must not choose where. So it cannot save accounts either; they
// are ours anyway.
Result<void> write_settings(const BrokerProcess::Options& options, const std::string& name,
                            const std::string& content) {
  const std::string path = options.state_folder + "/" + name;
  // An earlier version let the broker own the folder; what is left there may be a link.
  for (const std::string& old : {path, path + ".new"}) {
    if (::unlink(old.c_str()) != 0 && errno != ENOENT) return fail_errno("remove", old);
  }
  if (auto written = replace_file(path, content); !written) return written;
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return fail_errno("open", path);
  if (::geteuid() == 0 && ::fchown(file.get(), 0, options.account.gid) != 0) {
    return fail_errno("give to " + options.account.name, path);
  }
  if (::fchmod(file.get(), 0640) != 0) return fail_errno("set the mode of", path);
  return {};
}

Result<void> prepare_folders(const BrokerProcess::Options& options, const std::string& accounts) {
  // Instruments go through the second to the socket; only the broker writes in it.
  auto made = give_folder(options.state_folder, 0, options.account.gid, 0750);
  if (made)
    made = give_folder(options.socket_folder, options.account.uid, options.account.gid, 0755);
  if (made) made = write_settings(options, "mosquitto.conf", configuration(options));
  if (made) made = write_settings(options, "accounts.json", accounts);
  if (!made) return made;
  const std::string socket = options.socket_folder + "/" + BrokerProcess::kSocketName;
  if (::unlink(socket.c_str()) != 0 && errno != ENOENT) return fail_errno("remove", socket);
  return {};
}

}  // namespace

Result<std::unique_ptr<BrokerProcess>> BrokerProcess::start(const Options& options,
                                                            const std::string& accounts) {
  end_left_over(options.state_folder);
  auto prepared = prepare_folders(options, accounts);
  if (!prepared) return tl::unexpected<Error>(std::move(prepared.error()));
  const Fd state(::open(options.state_folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Fd socket(::open(options.socket_folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  int ends[2];
  if (!state || !socket) return fail_errno("open", options.state_folder);
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return fail_errno("make", "a pipe");
  // Both ends: a broker must not wait for a daemon that does not read, nor the other way round.
  Fd log(ends[0]);
  const Fd log_writer(ends[1]);
  const Child child{options.program.c_str(), state.get(),      socket.get(),       log_writer.get(),
                    &options.account,        ::geteuid() == 0, options.most_memory};
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("start", options.program);
  if (pid == 0) become_broker(child);
  return std::unique_ptr<BrokerProcess>(new BrokerProcess(pid, std::move(log)));
}

BrokerProcess::~BrokerProcess() {
  if (!ended().empty()) return;
  ::kill(pid_, SIGTERM);
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (ended().empty()) {
    if (std::chrono::steady_clock::now() > until) kill();
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

void BrokerProcess::kill() {
  if (!ended().empty()) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
  how_ = "it was ended";
}

std::string BrokerProcess::ended() {
  read_log();
  if (!reaped_) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return {};
    reaped_ = true;
    how_ = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                               : "status " + std::to_string(WEXITSTATUS(status));
    read_log();
  }
  const std::string words = last_words();
  return how_ + (words.empty() ? "" : ": " + words);
}

void BrokerProcess::read_log() {
  std::array<char, 4096> block{};
  for (;;) {
    const ssize_t got = ::read(log_.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    log_tail_.append(block.data(), static_cast<std::size_t>(got));
    if (log_tail_.size() > kLogTail) log_tail_.erase(0, log_tail_.size() - kLogTail);
  }
}

std::string BrokerProcess::last_words() const {
  std::string words;
  for (const std::string_view line : split(log_tail_, '\n')) {
    // It may not, see write_settings().
    if (line.find("Error saving Dynamic security") != std::string_view::npos) continue;
    if (line.find("rror") != std::string_view::npos || line.starts_with("cannot")) words = line;
  }
  return terminal_safe(words);
}

}  // namespace beaconry
