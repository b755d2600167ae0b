#include "sensor/lxd_usage.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"

namespace beaconry::lxd {
namespace {

constexpr std::chrono::seconds kWithin{10};
constexpr std::size_t kMost = 64 << 10;
const std::string kGroups = "/sys/fs/cgroup";

std::string content(const std::string& path) {
  auto text = read_small_file(path, kMost);
  return text ? std::move(*text) : std::string();
}
std::uint64_t number(const std::string& path) {
  return parse_unsigned(trim(content(path))).value_or(0);
}
// "key value" a line.
std::uint64_t entry(const std::string& path, std::string_view key) {
  const std::string text = content(path);
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with(key) && line.substr(key.size()).starts_with(' '))
      return parse_unsigned(trim(line.substr(key.size()))).value_or(0);
  }
  return 0;
}

// Without pages of files that are given back as soon as another wants the memory.
std::uint64_t without(std::uint64_t whole, std::uint64_t part) {
  return whole > part ? whole - part : 0;
}

void read_groups(ContainerState& state) {
  const std::string groups = content("/proc/" + std::to_string(state.process) + "/cgroup");
  for (const std::string_view line : split(groups, '\n')) {  // NUMBER:CONTROLLERS:PATH
    const auto first = line.find(':');
    const auto second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string path(line.substr(second + 1));
    const std::string_view names = line.substr(first + 1, second - first - 1);
    if (names.empty()) {  // version 2; beside version 1 it has no controllers, and none of these
      const std::string at = kGroups + path;
      if (const auto bytes = number(at + "/memory.current"); bytes > 0)
        state.memory = without(bytes, entry(at + "/memory.stat", "inactive_file"));
      if (const auto count = number(at + "/pids.current"); count > 0) state.processes = count;
      if (const auto us = entry(at + "/cpu.stat", "usage_usec"); us > 0) state.cpu_ns = us * 1000;
      continue;
    }
    for (const std::string_view name : split(names, ',')) {
      const std::string at = kGroups + "/" + std::string(name) + path;
      if (name == "memory")
        state.memory = without(number(at + "/memory.usage_in_bytes"),
                               entry(at + "/memory.stat", "total_inactive_file"));
      if (name == "pids") state.processes = number(at + "/pids.current");
      if (name == "cpuacct") state.cpu_ns = number(at + "/cpuacct.usage");
    }
  }
}

}  // namespace

std::optional<std::uint64_t> start_of_process(int id) {
  const std::string text = content("/proc/" + std::to_string(id) + "/stat");
  const auto name_end = text.rfind(')');  // a name may hold anything
  if (name_end == text.npos) return {};
  const auto fields = split(std::string_view(text).substr(name_end + 1), ' ');
  constexpr std::size_t kStart = 20;  // field 22 of proc(5), and one empty before the third
  return fields.size() > kStart ? parse_unsigned(fields[kStart]) : std::nullopt;
}

void Usage::fill(ContainerState& state) {
  Process process;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = processes_.find(state.name); found != processes_.end())
      process = found->second;
  }
  if (process.id == 0 || start_of_process(process.id) != process.started) {
    const auto told = lxd_.get("/1.0/instances/" + state.name + "/state", kWithin);
    if (!told) return;
    process.id = static_cast<int>(number_at(*told, "pid"));
    const auto started = process.id > 0 ? start_of_process(process.id) : std::nullopt;
    if (!started) return;
    process.started = *started;
    const std::lock_guard lock(mutex_);
    processes_[state.name] = process;
  }
  state.process = process.id;
  read_groups(state);
}

void Usage::forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  processes_.erase(name);
}

}  // namespace beaconry::lxd
