#include "sensor/lxd_server.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/fd.h"

namespace beaconry::lxd {
namespace {

using std::chrono::seconds;

constexpr seconds kReady{60};
constexpr std::chrono::milliseconds kBetween{50};

}  // namespace

Result<std::string> version(const Connection& lxd, seconds patience) {
  auto got = lxd.get("/1.0", patience);
  if (!got) return named(Result<std::string>(tl::unexpected(got.error())), "ask", "LXD");
  const Json& environment = object_at(*got, "environment");
  const std::string number = text_at(environment, "server_version");
  if (number.empty())
    return fail(ErrorKind::io, "ask", "LXD",
                "it does not trust this user: be root or a member of its socket's group");
  return (text_at(environment, "server") == "incus" ? "Incus " : "LXD ") + number;
}

Result<void> start_server(const std::string& program, const std::string& socket) {
  const std::filesystem::path folder = std::filesystem::path(socket).parent_path();
  std::error_code bad;
  std::filesystem::create_directories(folder, bad);
  const std::string log = (folder / "lxd.log").string();
  const Fd output(
      ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
  const Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!output || !nothing) return fail_errno("open", log);
  const std::string variable = program.ends_with("incusd") ? "INCUS_DIR=" : "LXD_DIR=";
  const std::string directory = variable + folder.string();
  const char* const wanted = program.ends_with("incusd") ? "incus-admin" : "lxd";
  const char* const group = ::getgrnam(wanted) != nullptr ? wanted : "root";

  // What the child uses is made before: between fork and exec, other threads may hold locks.
  std::vector<std::string> kept{directory};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::string_view(*entry).starts_with(variable)) continue;
    kept.emplace_back(*entry);
    if (kept.back().starts_with("PATH=")) kept.back() += ":/usr/sbin:/sbin";  // mkfs and the like
  }
  std::vector<char*> environment;
  for (std::string& entry : kept)
    environment.push_back(entry.data());
  environment.push_back(nullptr);
  std::array<const char*, 4> arguments{program.c_str(), "--group", group, nullptr};

  const pid_t child = ::fork();
  if (child < 0) return fail_errno("start", program);
  if (child == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(nothing.get(), 0);
    ::dup2(output.get(), 1);
    ::dup2(output.get(), 2);
    ::close_range(3, ~0U, 0);
    if (::chdir("/") != 0) ::_exit(1);
    ::execve(program.c_str(), const_cast<char* const*>(arguments.data()), environment.data());
    ::_exit(1);
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  const auto until = std::chrono::steady_clock::now() + kReady;
  const Connection lxd(socket);
  while (std::chrono::steady_clock::now() < until) {
    if (is_listened_on(socket) && version(lxd)) return {};
    std::this_thread::sleep_for(kBetween);
  }
  return fail(ErrorKind::io, "start", program, "it does not answer; see " + log);
}

}  // namespace beaconry::lxd
