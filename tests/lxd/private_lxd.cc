#include "lxd/private_lxd.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "base/text.h"
#include "lxd/shell.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kPrefix = "/tmp/bclxd";

std::string environment_of(const std::string& process) {
  std::ifstream file("/proc/" + process + "/environ", std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}
std::string command_of(const std::string& process) {
  std::ifstream file("/proc/" + process + "/cmdline", std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The daemon itself, and what monitors containers: found by the folder, never by a name alone.
std::vector<pid_t> processes_of(const std::string& folder, bool daemon_only) {
  std::vector<pid_t> found;
  const std::string variable = "LXD_DIR=" + folder;
  std::error_code bad;
  for (const auto& entry : fs::directory_iterator("/proc", bad)) {
    const std::string name = entry.path().filename().string();
    const auto id = parse_unsigned(name);
    if (!id) continue;
    const std::string command = command_of(name);
    const bool monitor = command.starts_with("[lxc monitor] " + folder + "/");
    const std::string environment = environment_of(name);
    const auto words = split(environment, '\0');
    const bool child = std::find(words.begin(), words.end(), variable) != words.end();
    const std::string first = command.substr(0, command.find('\0'));
    const bool daemon =
        child && fs::path(first).filename() == "lxd" && command.find("--group") != command.npos;
    if (daemon_only ? daemon : daemon || monitor) found.push_back(static_cast<pid_t>(*id));
  }
  return found;
}

void wait_until_gone(pid_t process) {
  for (int i = 0; i < 2000 && fs::exists("/proc/" + std::to_string(process)); ++i)
    std::this_thread::sleep_for(milliseconds{5});
}

void unmount_below(const std::string& folder) {
  std::ifstream mounts("/proc/self/mounts");
  std::vector<std::string> places;
  for (std::string line; std::getline(mounts, line);) {
    const auto words = split(line, ' ');
    if (words.size() > 1 && words[1].starts_with(folder + "/")) places.emplace_back(words[1]);
  }
  std::reverse(places.begin(), places.end());
  for (const std::string& place : places)
    ::umount2(place.c_str(), MNT_DETACH);
}

void clear_away(const std::string& folder) {
  const std::string socket = folder + "/unix.socket";
  LxdOptions options;
  options.socket = socket;
  if (auto runtime = open_lxd(options); runtime && (*runtime)->version()) {
    if (const auto ours = (*runtime)->list()) {
      for (const auto& one : *ours)
        (void)(*runtime)->remove(one.name).has_value();
    }
  }
  // Containers whose daemon is dead end with their monitors' children.
  for (const pid_t process : processes_of(folder, false)) {
    const std::string name = command_of(std::to_string(process));
    if (name.starts_with("[lxc monitor]")) {
      std::ifstream children("/proc/" + std::to_string(process) + "/task/" +
                             std::to_string(process) + "/children");
      for (pid_t child = 0; children >> child;)
        ::kill(child, SIGKILL);
      wait_until_gone(process);
    }
  }
  for (const pid_t process : processes_of(folder, true)) {
    shell("LXD_DIR=" + folder + " timeout 20 lxd shutdown --timeout 15");
    ::kill(process, SIGKILL);
    wait_until_gone(process);
  }
  unmount_below(folder);
  shell("for loop in $(losetup -n -O NAME -j " + folder +
        "/disks/beaconry.img); do losetup -d $loop; done");
  std::error_code bad;
  fs::remove_all(folder, bad);
}

}  // namespace

std::string PrivateLxd::why_not() {
  if (::geteuid() != 0) return "it wants root";
  for (const char* program : {"/usr/bin/lxd", "/sbin/mkfs.btrfs", "/bin/busybox"}) {
    if (::access(program, X_OK) != 0) return std::string("there is no ") + program;
  }
  if (::access("/dev/loop-control", R_OK | W_OK) != 0) return "there are no loop devices";
  if (shell("losetup -f >/dev/null") != 0) return "no loop device is free";
  return {};
}

Result<PrivateLxd> PrivateLxd::start() {
  std::error_code bad;
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator("/tmp", bad)) {
    const std::string path = entry.path().string();
    const auto owner =
        path.starts_with(kPrefix) ? parse_unsigned(path.substr(kPrefix.size())) : std::nullopt;
    if (owner && !fs::exists("/proc/" + std::to_string(*owner))) left.push_back(path);
  }
  for (const std::string& folder : left)
    clear_away(folder);

  PrivateLxd lxd(kPrefix + std::to_string(::getpid()));
  clear_away(lxd.folder_);
  SetupOptions options;
  options.lxd = lxd.options();
  options.pool_bytes = 1ULL << 30;
  auto steps = set_up(options);
  if (!steps) return tl::unexpected(steps.error());
  for (const auto& step : *steps) {
    if (step.state == SetupStep::State::missing && step.what != "control groups")
      return fail(ErrorKind::io, "set up", step.what, step.words);
  }
  return lxd;
}

PrivateLxd::~PrivateLxd() {
  if (!folder_.empty()) clear_away(folder_);
}

LxdOptions PrivateLxd::options() const {
  LxdOptions options;
  options.socket = socket();
  return options;
}

void PrivateLxd::crash() const {
  for (const pid_t process : processes_of(folder_, true)) {
    ::kill(process, SIGKILL);
    wait_until_gone(process);
  }
}

std::string PrivateLxd::make_image(const std::string& file, const std::string& init) const {
  const fs::path work = file + ".d", root = work / "rootfs";
  fs::remove_all(work);
  for (const char* folder : {"bin", "sbin", "dev", "proc", "sys", "tmp", "run/bus", "run/uplink",
                             "etc", "persistent-data", "transient-data", "resources"})
    fs::create_directories(root / folder);
  fs::copy_file("/bin/busybox", root / "bin/busybox");
  for (const char* tool :
       {"cat", "cp",    "rm",    "seq",   "chmod", "dd", "echo", "grep",  "head",  "id",
        "ls",  "mkdir", "mknod", "mount", "nc",    "ps", "sh",   "sleep", "touch", "yes"})
    fs::create_symlink("busybox", root / "bin" / tool);
  std::ofstream(root / "sbin/init") << "#!/bin/sh\n" << init;
  fs::permissions(root / "sbin/init", fs::perms(0755));
  std::ofstream(work / "metadata.yaml") << "architecture: x86_64\ncreation_date: 1\n";
  shell("tar --numeric-owner --owner=0 --group=0 -C " + work.string() + " -czf " + file +
        " metadata.yaml rootfs");
  fs::remove_all(work);
  return output_of("sha256sum " + file).substr(0, 64);
}

}  // namespace beaconry
