#include "sensor/lxd_spec.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "image/manifest_keys.h"
#include "sensor/lxd_calls.h"

namespace beaconry::lxd {
namespace {

constexpr std::size_t kMostName = 63;  // RFC 1123: it is the container's host name

bool is_one_of(char c, std::string_view more) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         more.find(c) != std::string_view::npos;
}
bool consists_of(std::string_view text, std::string_view more) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [&](char c) { return is_one_of(c, more); });
}

tl::unexpected<Error> bad(const std::string& what, const std::string& value, std::string why) {
  return fail(ErrorKind::usage, "make container of " + what, value, std::move(why));
}

Result<void> check_path(const std::string& what, const std::string& path) {
  if (!path.starts_with('/') || path == "/" || path.find("/../") != std::string::npos ||
      path.ends_with("/.."))
    return bad(what, path, "write an absolute path without ..");
  const bool control = std::any_of(path.begin(), path.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
  if (control) return bad(what, "", "it holds control characters");
  return {};
}

// Everything but these is closed, also where a node of it lies in the container: LXC binds
// /dev/fuse and /dev/net/tun in by itself.
constexpr std::string_view kDevices[] = {
    "c 1:3 rwm",   "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm",  // null zero full random
    "c 1:9 rwm",   "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm",  // urandom tty console ptmx
    "c 136:* rwm",                                         // pts
};

// The kernel bounds the open files of a process, not of a container: so each of as many processes
// as there may be gets its share. All of them can be connections to the bus, whose broker has eight
// times as many for everybody.
constexpr unsigned kMostFiles = 8192, kMostFilesOfOne = 1024;
unsigned files_of(unsigned processes) {
  return std::min(kMostFiles / std::max(processes, 1U), kMostFilesOfOne);
}

}  // namespace

Result<void> check_name(const std::string& name) {
  if (name.size() <= kMostName && consists_of(name, "-") && name.front() != '-' &&
      name.back() != '-' && !(name.front() >= '0' && name.front() <= '9'))
    return {};
  return fail(ErrorKind::usage, "use container name", name,
              "write at most 63 letters, digits and hyphens, beginning with a letter");
}

Result<void> check_volume_name(const std::string& name) {
  if (name.size() <= kMostName && consists_of(name, "-_.") && is_one_of(name.front(), ""))
    return {};
  return fail(ErrorKind::usage, "use volume name", name,
              "write at most 63 letters, digits, - _ ., beginning with a letter or digit");
}

Result<void> check(const ContainerSpec& spec) {
  if (auto fine = check_name(spec.name); !fine) return fine;
  if (spec.fingerprint.size() != 64 || !consists_of(spec.fingerprint, ""))
    return bad("image", spec.fingerprint, "write the SHA-256 of its file");
  if (spec.processes > kMostProcesses)
    return bad("limits.processes", std::to_string(spec.processes),
               "write at most " + std::to_string(kMostProcesses) +
                   " into its manifest: they share the files that may be open");
  for (const auto& [key, value] : spec.labels) {
    if (!consists_of(key, "-_.")) return bad("label", key, "write letters, digits, - _ .");
  }
  for (const std::string& one : spec.capabilities) {
    if (!consists_of(one, "_")) return bad("capability", one, "write it as net_raw");
  }
  for (const auto& volume : spec.volumes) {
    if (auto fine = check_volume_name(volume.name); !fine) return fine;
    if (auto fine = check_path("volume path", volume.path); !fine) return fine;
  }
  for (const auto& folder : spec.folders) {
    if (auto fine = check_path("folder", folder.source); !fine) return fine;
    if (auto fine = check_path("folder path", folder.path); !fine) return fine;
  }
  for (const auto& nic : spec.nics) {
    if (nic.name.size() > 15 || !consists_of(nic.name, "-_."))
      return bad("interface", nic.name, "write at most 15 letters, digits, - _ .");
  }
  return {};
}

std::string raw_lxc(const ContainerSpec& spec) {
  std::string out;
  const auto line = [&out](std::string_view key, std::string_view value) {
    out.append(key).append(" =").append(value.empty() ? "" : " ").append(value).append("\n");
  };
  // LXC has a list to drop or one to keep, never both; emptying the first is the condition.
  line("lxc.cap.drop", "");
  std::string kept;
  for (const std::string& one : spec.capabilities)
    kept += (kept.empty() ? "" : " ") + one;
  line("lxc.cap.keep", kept.empty() ? "none" : kept);
  line("lxc.signal.halt", "SIGTERM");
  line("lxc.mount.auto", "proc:mixed sys:ro cgroup:ro");
  line("lxc.mount.entry", "tmpfs tmp tmpfs rw,nosuid,nodev,noexec,mode=1777,size=" +
                              std::to_string(spec.temporary) + " 0 0");
  for (const char* hidden : {"dev/fuse", "dev/net/tun"})
    line("lxc.mount.entry", std::string("/dev/null ") + hidden + " none bind,optional 0 0");
  // Each of the two is read by machines with that kind of control groups, and passed over by
  // others.
  for (const std::string_view key : {"lxc.cgroup.devices.", "lxc.cgroup2.devices."}) {
    line(std::string(key) + "deny", "a");
    for (const std::string_view device : kDevices)
      line(std::string(key) + "allow", device);
  }
  return out;
}

Json nic_devices(const std::vector<ContainerSpec::Nic>& nics) {
  Json devices = Json::object();
  for (const auto& nic : nics)
    devices["nic-" + nic.name] = {
        {"type", "nic"}, {"nictype", "physical"}, {"parent", nic.parent}, {"name", nic.name}};
  return devices;
}

Json body_of(const ContainerSpec& spec, const Placement& placement) {
  Json config = {
      {std::string(kOurs), "1"},
      {"raw.lxc", raw_lxc(spec)},
      {"security.privileged", "false"},
      {"security.nesting", "false"},
      {"security.devlxd", "false"},
      {"raw.seccomp", call_policy()},  // instead of LXD's own list of denials
      {"security.idmap.isolated", "true"},
      // The sensor starts its instances, after their interfaces and contracts are there.
      {"boot.autostart", "false"},
      {"boot.host_shutdown_timeout", "10"},
      {"limits.memory", std::to_string(spec.memory)},
      {"limits.memory.enforce", "hard"},
      {"limits.memory.swap", "false"},
      {"limits.cpu.allowance", std::to_string(std::max(spec.cpu_percent, 1U)) + "ms/100ms"},
      {"limits.processes", std::to_string(spec.processes)},
      {"limits.kernel.core", "0"},
      {"limits.kernel.nofile", std::to_string(files_of(spec.processes))},
  };
  if (!placement.first_id.empty()) config["security.idmap.base"] = placement.first_id;

  Json devices = nic_devices(spec.nics);
  devices["root"] = {
      {"type", "disk"}, {"path", "/"}, {"pool", placement.pool}, {"readonly", "true"}};
  for (const auto& volume : spec.volumes)
    devices["volume-" + volume.name] = {
        {"type", "disk"}, {"pool", placement.pool}, {"source", volume.name}, {"path", volume.path}};
  int number = 0;
  for (const auto& folder : spec.folders) {
    Json& device = devices["folder-" + std::to_string(number++)];
    device = {{"type", "disk"}, {"source", folder.source}, {"path", folder.path}};
    if (!folder.writable) device["readonly"] = "true";
  }
  return {{"name", spec.name},
          {"type", "container"},
          {"profiles", Json::array({placement.profile})},
          {"config", std::move(config)},
          {"devices", std::move(devices)},
          {"source", {{"type", "image"}, {"fingerprint", spec.fingerprint}}}};
}

}  // namespace beaconry::lxd
