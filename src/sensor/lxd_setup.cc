#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/find_program.h"
#include "base/text.h"
#include "sensor/lxd_connection.h"
#include "sensor/lxd_server.h"
#include "sensor/lxd_spec.h"
#include "sensor/runtime.h"

namespace beaconry {
namespace {

using lxd::Connection;
using lxd::Json;
using lxd::kIdsOfOne;
using lxd::object_at;
using lxd::text_at;
using std::chrono::seconds;
using State = SetupStep::State;

constexpr seconds kLook{10}, kChange{120}, kFirstStart{60};
constexpr std::size_t kMostFile = 1 << 20;

bool is_there(const std::string& path) {
  std::error_code bad;
  return std::filesystem::exists(path, bad);
}

std::string content(const std::string& path) {
  auto text = read_small_file(path, kMostFile);
  return text ? std::move(*text) : std::string();
}

class Setup {
 public:
  explicit Setup(const SetupOptions& options) : options_(options), lxd_(options.lxd.socket) {}

  std::vector<SetupStep> run() {
    ids();
    btrfs();
    groups();
    needs("bus", "mosquitto", "mosquitto");
    needs("contracts of interfaces", "nft", "nftables");
    needs("DHCP for instruments", find_program("udhcpc").empty() ? "busybox" : "udhcpc", "busybox");
    // LXD ends at its start without it, and Debian's package does not ask for it.
    needs("interfaces for the runtime", "ip", "iproute2");
    if (server()) {
      pool();
      profile();
      updates();
    }
    return std::move(steps_);
  }

 private:
  void say(std::string what, State state, std::string words) {
    steps_.push_back({std::move(what), state, std::move(words)});
  }
  void say_error(std::string what, const Error& error) {
    say(std::move(what), State::missing, error.message());
  }

  // Unprivileged containers live in ids that the host has set aside for root.
  void ids() {
    for (const char* file : {"/etc/subuid", "/etc/subgid"}) {
      const std::string text = content(file);
      std::uint64_t most = 0;
      for (const std::string_view line : split(text, '\n')) {
        const auto fields = split(line, ':');  // name:first:count
        if (fields.size() != 3 || (fields[0] != "root" && fields[0] != "0")) continue;
        most = std::max(most, parse_unsigned(fields[2]).value_or(0));
      }
      const std::string what = std::string("ids in ") + file;
      if (most >= 2 * kIdsOfOne) {
        say(what, State::there,
            "enough for " + std::to_string(most / kIdsOfOne - 1) + " instances");
      } else if (!is_there(file)) {
        say(what, State::there, "no such file: the runtime takes ids of its own choice");
      } else {
        say(what, State::missing,
            std::string("add the line \"root:1000000:1000000000\" to ") + file +
                " and restart the runtime");
      }
    }
  }

  void btrfs() {
    const std::string found = find_program("mkfs.btrfs");
    if (found.empty())
      say("btrfs", State::missing, "apt-get install btrfs-progs, then restart the runtime");
    else
      say("btrfs", State::there, found);
  }

  // What the sensor starts beside the runtime.
  void needs(const char* what, const char* name, const char* package) {
    const std::string found = find_program(name);
    if (found.empty())
      say(what, State::missing, std::string("apt-get install ") + package);
    else
      say(what, State::there, found);
  }

  void groups() {
    const std::array<std::pair<const char*, const char*>, 3> wanted{
        {{"memory", "memory"}, {"cpu", "CPU"}, {"pids", "number of processes"}}};
    const std::string unified = content("/sys/fs/cgroup/cgroup.controllers");
    std::string lacking;
    for (const auto& [name, limit] : wanted) {
      const auto words = split(trim(unified), ' ');
      if (std::find(words.begin(), words.end(), name) != words.end()) continue;
      if (is_there(std::string("/sys/fs/cgroup/") + name)) continue;
      lacking += std::string(lacking.empty() ? "" : ", ") + limit;
    }
    if (lacking.empty())
      say("control groups", State::there, unified.empty() ? "version 1" : "version 2");
    else
      say("control groups", State::missing,
          "limits of " + lacking +
              " will not hold; boot with cgroup_enable=memory and mount them at /sys/fs/cgroup");
  }

  bool server() {
    // systemd starts it when it is asked for the first time, which takes a while.
    auto version = lxd::version(lxd_, kFirstStart);
    auto socket = lxd_.socket();
    if (version) {
      say("runtime", State::there, *version + " at " + *socket);
      return true;
    }
    if (socket) {  // it listens, and something is wrong with it
      say_error("runtime", version.error());
      return false;
    }
    const std::string lxd_program = find_program("lxd"), incus_program = find_program("incusd");
    const std::string& found = lxd_program.empty() ? incus_program : lxd_program;
    if (found.empty()) {
      say("runtime", State::missing, "apt-get install lxd btrfs-progs");
      return false;
    }
    const std::string at = where_to_start(lxd_program.empty());
    const bool standard = at == "/var/lib/lxd/unix.socket" || at == "/var/lib/incus/unix.socket";
    if (is_there("/run/systemd/system") && standard) {
      say("runtime", State::missing,
          std::string("it is installed and does not run: systemctl start ") +
              (lxd_program.empty() ? "incus" : "lxd"));
      return false;
    }
    if (!options_.change) {
      say("runtime", State::missing, found + " does not run; setup would start it");
      return false;
    }
    if (auto started = lxd::start_server(found, at); !started) {
      say_error("runtime", started.error());
      return false;
    }
    version = lxd::version(lxd_);
    if (!version) {
      say_error("runtime", version.error());
      return false;
    }
    say("runtime", State::made, "started " + *version + " at " + at);
    return true;
  }

  std::string where_to_start(bool incus) const {
    if (!options_.lxd.socket.empty()) return options_.lxd.socket;
    const char* const folder = std::getenv(incus ? "INCUS_DIR" : "LXD_DIR");
    if (folder != nullptr && *folder != '\0') return std::string(folder) + "/unix.socket";
    return incus ? "/var/lib/incus/unix.socket" : "/var/lib/lxd/unix.socket";
  }

  void pool() {
    const std::string& name = options_.lxd.pool;
    const std::string what = "storage pool " + name;
    const auto found = lxd_.get("/1.0/storage-pools/" + name, kLook);
    if (!found && found.error().kind != ErrorKind::not_found) return say_error(what, found.error());
    if (found) {
      const std::string driver = text_at(*found, "driver");
      if (driver == "btrfs") return say(what, State::there, "btrfs" + size_of(*found));
      return say(what, State::missing,
                 "it is a " + driver +
                     " pool, whose quotas do not hold: name another in the "
                     "sensor's configuration");
    }
    if (find_program("mkfs.btrfs").empty())
      return say(what, State::missing, "can be made when btrfs is there");
    if (!is_there("/dev/loop-control"))
      return say(what, State::missing,
                 "there are no loop devices: modprobe loop (in a container: give it /dev/loop*)");
    if (!options_.change)
      return say(
          what, State::missing,
          "setup would make it, " + bytes_in_words(static_cast<double>(options_.pool_bytes)));
    const auto made = lxd_.change(
        "POST", "/1.0/storage-pools",
        {{"name", name},
         {"driver", "btrfs"},
         {"config",
          {{"size", std::to_string(options_.pool_bytes)}, {std::string(lxd::kOurs), "1"}}}},
        kChange);
    if (!made) return say_error(what, made.error());
    const auto seen = lxd_.get("/1.0/storage-pools/" + name, kLook);
    say(what, State::made, "btrfs" + (seen ? size_of(*seen) : std::string()));
  }

  // "8.0 GiB in /x.img": the file takes disk as it fills, which it may not be able to.
  std::string size_of(const Json& pool) const {
    const Json& config = object_at(pool, "config");
    const std::string source = text_at(config, "source");
    const std::string size = text_at(config, "size");
    const auto bytes = parse_unsigned(size.ends_with('B') ? size.substr(0, size.size() - 1) : size);
    std::string words = size.empty() ? "" : ", " + (bytes ? bytes_in_words(double(*bytes)) : size);
    if (!source.empty()) words += " in " + source;
    struct statvfs disk {};
    if (bytes && ::statvfs(source.c_str(), &disk) == 0) {
      const double room = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
      if (room < static_cast<double>(*bytes))
        words += "; the disk has only " + bytes_in_words(room) + " left for it to grow";
    }
    return words;
  }

  void profile() {
    const std::string& name = options_.lxd.profile;
    const std::string what = "profile " + name;
    const auto found = lxd_.get("/1.0/profiles/" + name, kLook);
    if (found) return say(what, State::there, "");
    if (found.error().kind != ErrorKind::not_found) return say_error(what, found.error());
    if (!options_.change) return say(what, State::missing, "setup would make it");
    const auto made =
        lxd_.change("POST", "/1.0/profiles",
                    {{"name", name},
                     {"description", "Instruments of Beaconry; each brings its own limits"},
                     {"config",
                      {{std::string(lxd::kOurs), "1"},
                       {"boot.autostart", "false"},
                       {"security.nesting", "false"},
                       {"security.privileged", "false"}}},
                     {"devices",
                      {{"root",
                        {{"type", "disk"},
                         {"path", "/"},
                         {"pool", options_.lxd.pool},
                         {"readonly", "true"}}}}}},
                    kChange);
    if (!made) return say_error(what, made.error());
    say(what, State::made, "");
  }

  // The runtime would look for newer images in the Internet. Where it serves others too, that is
  // theirs to say: our images are not among those that are looked for.
  void updates() {
    const std::string what = "no image updates from the Internet";
    const auto found = lxd_.get("/1.0", kLook);
    if (!found) return say_error(what, found.error());
    Json config = object_at(*found, "config");
    const std::string key = "images.auto_update_interval";
    if (text_at(config, key) == "0") return say(what, State::there, "");
    const auto instances = lxd_.get("/1.0/instances?recursion=1", kLook);
    const bool shared = !instances || !instances->is_array() ||
                        std::any_of(instances->begin(), instances->end(), [](const Json& instance) {
                          return !lxd::is_ours(object_at(instance, "config"));
                        });
    if (shared)
      return say(what, State::there, "left as it is, since the runtime has other instances too");
    if (!options_.change) return say(what, State::missing, "setup would say so");
    const auto done = lxd_.change("PATCH", "/1.0", {{"config", {{key, "0"}}}}, kLook);
    if (!done) return say_error(what, done.error());
    say(what, State::made, "");
  }

  const SetupOptions& options_;
  const Connection lxd_;
  std::vector<SetupStep> steps_;
};

}  // namespace

Result<std::vector<SetupStep>> set_up(const SetupOptions& options) {
  return Setup(options).run();
}

}  // namespace beaconry
