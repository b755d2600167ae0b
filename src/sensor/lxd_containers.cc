#include "sensor/lxd_containers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "sensor/lxd_spec.h"

namespace beaconry::lxd {
namespace {

using std::chrono::seconds;

constexpr seconds kLook{10}, kChange{30}, kUnpack{120};

std::string at(const std::string& name) {
  return "/1.0/instances/" + name;
}

ContainerState::Run run_of(const Json& instance) {
  const std::string status = text_at(instance, "status");
  if (status == "Running") return ContainerState::Run::running;
  return status == "Stopped" ? ContainerState::Run::stopped : ContainerState::Run::other;
}

ContainerState state_of(const Json& instance) {
  ContainerState state;
  state.name = text_at(instance, "name");
  state.run = run_of(instance);
  const Json& config = object_at(instance, "config");
  state.fingerprint = text_at(config, "volatile.base_image");
  for (const auto& [key, value] : config.items()) {
    if (key.starts_with(kLabelPrefix) && value.is_string())
      state.labels.emplace_back(key.substr(kLabelPrefix.size()), value.get<std::string>());
  }
  return state;
}

}  // namespace

// Nothing: there is none of the name. The foreign are an error.
Result<std::optional<Json>> Containers::look(const std::string& name) const {
  if (auto fine = check_name(name); !fine) return tl::unexpected(fine.error());
  auto got = lxd_.get(at(name), kLook);
  if (!got && got.error().kind == ErrorKind::not_found) return std::optional<Json>();
  if (!got) return tl::unexpected(got.error());
  if (!is_ours(object_at(*got, "config")))
    return fail(ErrorKind::usage, "", "",
                "there is a container of that name that is not ours: rename or remove it");
  return std::optional<Json>(std::move(*got));
}

Result<Json> Containers::one(const std::string& name) const {
  auto found = look(name);
  if (!found) return tl::unexpected(found.error());
  if (!*found) return fail(ErrorKind::not_found, "", "", "there is no such container");
  return std::move(**found);
}

// LXD owns a volume's files to one range of ids: containers that share a volume, such as one and
// its rollback copy, need the same. "" where nobody shares.
Result<std::string> Containers::first_id_of(const ContainerSpec& spec) const {
  for (const auto& volume : spec.volumes) {
    const auto got =
        lxd_.get("/1.0/storage-pools/" + pool_ + "/volumes/custom/" + volume.name, kLook);
    if (!got) return tl::unexpected(got.error());
    const Json& users = object_at(*got, "used_by");
    if (!users.is_array()) continue;
    for (const Json& user : users) {
      if (!user.is_string()) continue;
      std::string target = user.get<std::string>();
      target.resize(std::min(target.find('?'), target.size()));
      if (!target.starts_with("/1.0/instances/")) continue;
      const auto instance = lxd_.get(target, kLook);
      if (!instance) continue;  // gone meanwhile
      std::string first = text_at(object_at(*instance, "config"), "volatile.idmap.base");
      if (parse_unsigned(first).value_or(0) > 0) return first;
    }
  }
  return std::string();
}

template <class Edit>
Result<void> Containers::edit(const std::string& name, bool must_be_stopped, const Edit& how) {
  auto got = one(name);
  if (!got) return tl::unexpected(got.error());
  if (must_be_stopped && run_of(*got) != ContainerState::Run::stopped)
    return fail(ErrorKind::usage, "", "", "it is running: stop it first");
  Json body = Json::object();
  for (const char* key :
       {"architecture", "config", "description", "devices", "ephemeral", "profiles", "stateful"}) {
    if (got->contains(key)) body[key] = (*got)[key];
  }
  const Json before = body;
  how(body);
  if (body == before) return {};
  auto changed = lxd_.change("PUT", at(name), body, kChange);
  if (!changed) return tl::unexpected(changed.error());
  return {};
}

Result<void> Containers::create(const ContainerSpec& spec) {
  if (auto fine = check(spec); !fine) return fine;
  const auto no = [&](Error error) {
    return named(Result<void>(tl::unexpected(std::move(error))), "create container", spec.name);
  };
  if (auto over = wait_for_others(spec.name); !over) return no(over.error());
  auto found = look(spec.name);
  if (!found) return no(found.error());
  if (*found && run_of(**found) != ContainerState::Run::stopped)
    return no({ErrorKind::usage, "", "", "one of that name is running: stop it first"});
  auto first_id = first_id_of(spec);
  if (!first_id) return no(first_id.error());
  // What is there may be half made, by an LXD that was killed; nothing in it is worth keeping, as
  // roots are read-only.
  if (*found) {
    if (auto removed = remove(spec.name); !removed) return removed;
  }
  auto made = lxd_.change("POST", "/1.0/instances",
                          body_of(spec, {pool_, profile_, std::move(*first_id)}), kUnpack);
  if (!made) return no(made.error());
  // LXD counts ids from 0 beside one that it left half made, without ids, when it was killed. These
  // are not its own, and nothing could start with them. What is half made goes when its turn comes.
  auto there = one(spec.name);
  if (!there) return no(there.error());
  const auto first = parse_unsigned(text_at(object_at(*there, "config"), "volatile.idmap.base"));
  if (first && *first != 0 && *first <= kIdsOfOne) {
    if (auto removed = remove(spec.name); !removed) return removed;
    return no({ErrorKind::limit, "", "", "LXD gave it ids that are not its own; once more"});
  }
  // Only now: one that an LXD made by half before it was killed has none of them.
  auto labelled = edit(spec.name, true, [&](Json& body) {
    for (const auto& [key, value] : spec.labels)
      body["config"][std::string(kLabelPrefix) + key] = value;
  });
  if (!labelled) return no(labelled.error());
  return {};
}

Result<void> Containers::set_nics(const std::string& name,
                                  const std::vector<ContainerSpec::Nic>& nics) {
  const auto how = [&](Json& body) {
    Json devices = nic_devices(nics);
    for (const auto& [key, device] : body["devices"].items()) {
      if (text_at(device, "type") != "nic") devices[key] = device;
    }
    body["devices"] = std::move(devices);
  };
  return named(edit(name, true, how), "set interfaces of container", name);
}

// LXD's own words for a start that LXC refused are "exit status 1"; the reason is in LXC's log.
std::string Containers::why_not_started(const std::string& name) const {
  const auto got = lxd_.raw(make_request("GET", at(name) + "/logs/lxc.log"), kLook);
  if (!got) return {};
  for (const std::string_view line : split(got->body, '\n')) {
    if (const auto error = line.find(" ERROR "); error != line.npos)
      return "; LXC: " + terminal_safe(trim(line.substr(error + 7, 500)));
  }
  return {};
}

Result<void> Containers::start(const std::string& name) {
  auto got = one(name);
  if (!got) return named(Result<void>(tl::unexpected(got.error())), "start container", name);
  if (run_of(*got) == ContainerState::Run::running) return {};
  auto done =
      lxd_.change("PUT", at(name) + "/state", {{"action", "start"}, {"timeout", 30}}, kChange);
  if (done) return {};
  if (done.error().cause.find("already running") != std::string::npos) return {};
  if (done.error().cause.find("forkstart") != std::string::npos)
    done.error().cause += why_not_started(name);
  return named(Result<void>(tl::unexpected(done.error())), "start container", name);
}

Result<void> Containers::stop(const std::string& name, unsigned most) {
  auto found = look(name);
  if (!found) return named(Result<void>(tl::unexpected(found.error())), "stop container", name);
  if (!*found || run_of(**found) == ContainerState::Run::stopped) return {};
  const auto is_over = [](const Result<Json>& done) {
    return done || done.error().cause.find("already stopped") != std::string::npos ||
           done.error().cause.find("is not running") != std::string::npos;
  };
  if (most > 0) {
    const auto done = lxd_.change("PUT", at(name) + "/state",
                                  {{"action", "stop"}, {"timeout", most}}, seconds{most} + kLook);
    if (is_over(done)) return {};
  }
  auto done =
      lxd_.change("PUT", at(name) + "/state", {{"action", "stop"}, {"force", true}}, kChange);
  if (is_over(done)) return {};
  return named(Result<void>(tl::unexpected(done.error())), "stop container", name);
}

// An operation outlives the client that began it, so a daemon that was killed may have left one.
// What gets another name while LXD stops it stays busy under the old one.
Result<void> Containers::wait_for_others(const std::string& name) const {
  const auto got = lxd_.get("/1.0/operations?recursion=1", kLook);
  if (!got) return tl::unexpected(got.error());
  for (const Json& one : object_at(*got, "running")) {
    if (text_at(one, "class") != "task") continue;
    const Json& instances = object_at(object_at(one, "resources"), "instances");
    if (std::find(instances.begin(), instances.end(), Json(at(name))) == instances.end()) continue;
    const auto over = lxd_.get("/1.0/operations/" + text_at(one, "id") +
                                   "/wait?timeout=" + std::to_string(kChange.count()),
                               kChange + kLook);
    if (!over && over.error().kind != ErrorKind::not_found) return tl::unexpected(over.error());
  }
  return {};
}

Result<void> Containers::rename(const std::string& from, const std::string& to) {
  const auto no = [&](Error error) {
    return named(Result<void>(tl::unexpected(std::move(error))), "rename container",
                 from + " to " + to);
  };
  if (auto over = wait_for_others(from); !over) return no(over.error());
  auto source = look(from);
  if (!source) return no(source.error());
  auto target = look(to);
  if (!target) return no(target.error());
  if (!*source && *target) return {};
  if (!*source) return no({ErrorKind::not_found, "", "", "there is no such container"});
  if (*target) return no({ErrorKind::usage, "", "", "there are both"});
  if (run_of(**source) != ContainerState::Run::stopped)
    return no({ErrorKind::usage, "", "", "it is running: stop it first"});
  // It is told to be stopped while LXD is still busy with that, under its name. Renamed then, the
  // old name would stay busy for 30 s, for the container that takes its place too. A change, of
  // nothing, is refused until that is over.
  auto idle = lxd_.change("PATCH", at(from), Json::object(), kChange);
  if (!idle) return no(idle.error());
  auto done = lxd_.change("POST", at(from), {{"name", to}}, kChange);
  if (!done) return no(done.error());
  usage_.forget(from);
  return {};
}

Result<void> Containers::remove(const std::string& name) {
  if (auto over = wait_for_others(name); !over)
    return named(std::move(over), "remove container", name);
  if (auto stopped = stop(name, 0); !stopped) return stopped;
  auto found = look(name);
  if (!found) return named(Result<void>(tl::unexpected(found.error())), "remove container", name);
  if (!*found) return {};
  auto done = lxd_.change(make_request("DELETE", at(name)), kChange);
  usage_.forget(name);
  if (done || done.error().kind == ErrorKind::not_found) return {};
  return named(Result<void>(tl::unexpected(done.error())), "remove container", name);
}

Result<std::vector<ContainerState>> Containers::list() {
  auto got = lxd_.get("/1.0/instances?recursion=1", kLook);
  if (!got)
    return named(Result<std::vector<ContainerState>>(tl::unexpected(got.error())),
                 "list containers", "");
  std::vector<ContainerState> states;
  if (!got->is_array()) return states;
  for (const Json& instance : *got) {
    if (!is_ours(object_at(instance, "config"))) continue;
    states.push_back(state_of(instance));
    if (states.back().run == ContainerState::Run::running) usage_.fill(states.back());
  }
  return states;
}

Result<std::optional<ContainerState>> Containers::find(const std::string& name) {
  using Found = Result<std::optional<ContainerState>>;
  if (auto fine = check_name(name); !fine) return tl::unexpected(fine.error());
  auto got = lxd_.get(at(name), kLook);
  if (!got && got.error().kind == ErrorKind::not_found) return Found(std::nullopt);
  if (!got) return named(Found(tl::unexpected(got.error())), "look for container", name);
  if (!is_ours(object_at(*got, "config"))) return Found(std::nullopt);
  ContainerState state = state_of(*got);
  if (state.run == ContainerState::Run::running) usage_.fill(state);
  return Found(std::move(state));
}

}  // namespace beaconry::lxd
