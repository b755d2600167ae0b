#include "sensor/network/management.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "sensor/network/links.h"
#include "sensor/network/management_plan.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostMemory = 4 << 20;
constexpr std::chrono::seconds kLookEvery{5};
constexpr const char* kDhcpName = "management";

std::string seconds_in_words(std::uint32_t seconds) {
  return std::to_string(seconds) + " s";
}

}  // namespace

Result<std::unique_ptr<Management>> Management::open(const Options& options, Timestamp now) {
  std::error_code error;
  std::filesystem::create_directories(options.state_folder, error);
  if (error) return fail(ErrorKind::io, "make folder", options.state_folder, error.message());
  std::unique_ptr<Management> made(new Management(options));
  made->steady_time_.at(now);
  DhcpClient::end_left_over(options.state_folder, kDhcpName);
  if (const auto text = read_small_file(made->file(), kMostMemory)) {
    auto memory = ManagementMemory::parse(*text);
    // Without it nothing can be gone back to, and what holds is as good as anything.
    if (!memory) {
      made->fault_ = memory.error().message();
      log_error(made->file() + ": " + made->fault_);
    } else {
      made->memory_ = std::move(*memory);
    }
  } else if (text.error().kind != ErrorKind::not_found) {
    return tl::unexpected<Error>(text.error());
  }
  made->begin(now);
  return made;
}

void Management::begin(Timestamp now) {
  if (memory_.back && !memory_.back->boot.empty() && memory_.back->boot != options_.boot) {
    // Nothing of it is left by the change, and what the machine's own tools set since is newer.
    memory_.back->network = {};
    memory_.back->boot = options_.boot;
  }
  if (memory_.state == State::trial) {
    go_back("the sensor ended before it was confirmed", now);
    return;
  }
  if (memory_.back) {
    put_back();
    return;
  }
  if (memory_.confirmed) {
    auto done = set(*memory_.confirmed, true);
    fault_ = done ? "" : done.error().message();
    if (!done) log_error("The management network is not as confirmed: " + fault_);
  }
}

const ManagementWish* Management::in_force() const {
  if (memory_.state == State::trial) return &*memory_.trial;
  return memory_.confirmed && !memory_.back ? &*memory_.confirmed : nullptr;
}

void Management::enter(State state, Timestamp now) {
  memory_.state = state;
  memory_.since = now;
}

Result<void> Management::save() const {
  return replace_file(file(), memory_.to_json());
}

void Management::work(const std::optional<ManagementWish>& wish, std::uint64_t version,
                      Timestamp now) {
  const Timestamp steady = steady_time_.at(now);
  if (!seen_ || *seen_ != wish) {
    seen_ = wish;
    take(wish, version, now);
    if (memory_.state == State::trial)
      deadline_ = steady + std::chrono::seconds{memory_.trial->confirm_within};
  }
  if (memory_.state == State::trial && steady >= deadline_)
    go_back("not confirmed within " + seconds_in_words(memory_.trial->confirm_within), now);
  follow_lease();
  look_again(steady);
}

void Management::take(const std::optional<ManagementWish>& wish, std::uint64_t version,
                      Timestamp now) {
  // Was told before this start.
  if (wish && memory_.state == State::reverted && memory_.refused == wish) return;
  if (wish && memory_.state == State::confirmed && memory_.confirmed->is_same_network(*wish))
    return;
  if (memory_.state == State::trial) go_back("another one is wished", now);
  if (!wish) {
    leave(now);
  } else if (!memory_.back && memory_.confirmed && memory_.confirmed->is_same_network(*wish)) {
    memory_.version = version;
    memory_.refused.reset();
    memory_.reason.clear();
    enter(State::confirmed, now);
    if (auto done = save(); !done) log_error(done.error().message());
  } else {
    try_out(*wish, version, now);
  }
}

// It is as it is, and nobody's to touch.
void Management::leave(Timestamp now) {
  if (memory_.state == State::none) return;
  dhcp_.reset();
  lease_ = {};
  fault_.clear();
  memory_.refused.reset();
  memory_.confirmed.reset();
  memory_.reason.clear();
  memory_.version = 0;
  enter(State::none, now);
  if (auto done = save(); !done) log_error(done.error().message());
  log_info("The management network is not ours to touch any more");
}

// What holds now, of all interfaces that the change is about. One that is kept already, since it
// could not be put back, is the older one and stays.
Result<void> Management::keep_way_back(const ManagementWish& wish) {
  std::vector<std::string> names = interfaces_of(wish);
  if (memory_.confirmed) {
    for (const std::string& one : interfaces_of(*memory_.confirmed)) {
      if (std::find(names.begin(), names.end(), one) == names.end()) names.push_back(one);
    }
  }
  auto is = NetworkState::read(names);
  if (!is) return tl::unexpected<Error>(is.error());
  const auto at =
      std::find_if(is->interfaces.begin(), is->interfaces.end(),
                   [&](const InterfaceState& one) { return one.name == wish.interface; });
  if (!at->there)
    return fail(ErrorKind::not_found, "set up", "interface " + wish.interface, "it is not there");
  auto conf = conf_.read();
  if (!conf) return tl::unexpected<Error>(conf.error());
  if (!memory_.back) {
    memory_.back = {std::move(*is), std::move(*conf), options_.boot};
    return {};
  }
  NetworkState& kept = memory_.back->network;
  if (kept.interfaces.empty()) {  // of a boot before this one
    kept = std::move(*is);
    return {};
  }
  for (InterfaceState& one : is->interfaces) {
    const bool known =
        std::any_of(kept.interfaces.begin(), kept.interfaces.end(),
                    [&](const InterfaceState& other) { return other.name == one.name; });
    if (known) continue;
    for (const KernelRecord& route : is->routes) {
      if (route.device == one.name) kept.routes.push_back(route);
    }
    kept.interfaces.push_back(std::move(one));
  }
  return {};
}

void Management::try_out(const ManagementWish& wish, std::uint64_t version, Timestamp now) {
  memory_.trial = wish;
  memory_.refused.reset();
  memory_.version = version;
  memory_.reason.clear();
  const bool was_back = !memory_.back.has_value();
  auto done = keep_way_back(wish);
  if (done) {
    enter(State::trial, now);
    done = save();  // before the first change
  }
  if (!done) {  // nothing was touched
    memory_.refused = std::exchange(memory_.trial, std::nullopt);
    memory_.reason = done.error().message();
    if (was_back) memory_.back.reset();
    enter(State::reverted, now);
    log_error("The management network stays as it is: " + memory_.reason);
    if (auto kept = save(); !kept) log_error(kept.error().message());
    return;
  }
  log_info("The management network is changed on " + wish.device() + ", and goes back in " +
           seconds_in_words(wish.confirm_within) + " unless that is confirmed");
  until_ = now + std::chrono::seconds{wish.confirm_within};
  fault_.clear();
  dhcp_.reset();
  lease_ = {};
  done = set(wish, false);
  if (!done) go_back(done.error().message(), now);
}

Result<void> Management::set(const ManagementWish& wish, bool keep_v4) {
  std::vector<std::string> others;
  if (memory_.confirmed) others = interfaces_of(*memory_.confirmed);
  if (auto done = apply_management(wish, lease_, keep_v4, others); !done) return done;
  if (!wish.resolvers.empty()) {
    if (auto done = conf_.set_servers(wish.resolvers); !done) return done;
  }
  return wish.uses_dhcp() && !dhcp_ ? start_dhcp(wish) : Result<void>();
}

Result<void> Management::start_dhcp(const ManagementWish& wish) {
  if (options_.dhcp_program.empty())
    return fail(ErrorKind::not_found, "start", "the DHCP client of " + wish.device(),
                "udhcpc is not installed: install busybox or udhcpc, or set an address");
  DhcpClient::Options options;
  options.program = options_.dhcp_program;
  options.folder = options_.state_folder;
  options.name = kDhcpName;
  options.interface = wish.device();
  auto client = DhcpClient::start(options);
  if (!client) return tl::unexpected<Error>(client.error());
  dhcp_ = std::move(*client);
  return {};
}

// What was set by a lease before this client's first stays until there is another.
void Management::follow_lease() {
  const ManagementWish* wish = in_force();
  const auto news = dhcp_ ? dhcp_->news() : std::nullopt;
  if (wish == nullptr || !news || *news == lease_) return;
  const DhcpNews before = std::exchange(lease_, *news);
  const bool lost = before.has_lease() || lease_.state == "nak";
  if (!lease_.has_lease() && !lost) return;
  auto done = set(*wish, !lost);
  if (done && wish->resolvers.empty() && lease_.has_lease() && !lease_.resolvers.empty()) {
    std::vector<std::string> servers;
    for (const IpAddress& one : lease_.resolvers)
      servers.push_back(one.to_string());
    if (auto told = conf_.set_servers(servers); !told) log_warning(told.error().message());
  }
  fault_ = done ? "" : done.error().message();
  if (!done) log_error(fault_);
}

// What ended, went or could not be put back is tried again.
void Management::look_again(Timestamp steady) {
  if (steady < next_look_) return;
  next_look_ = steady + kLookEvery;
  if (memory_.back && memory_.state != State::trial) {
    put_back();
    return;
  }
  const ManagementWish* wish = in_force();
  if (wish == nullptr) return;
  const bool ended = dhcp_ && dhcp_->ended();
  if (ended) dhcp_.reset();
  const auto is = check_management(*wish, lease_);
  if (is && !ended) {
    fault_.clear();
    return;
  }
  if (!is && fault_.empty())
    log_warning("The management network is set again: " + is.error().message());
  auto done = set(*wish, true);
  fault_ = done ? "" : done.error().message();
}

void Management::go_back(const std::string& reason, Timestamp now) {
  log_error("The management network goes back to what it was: " + reason);
  memory_.refused = std::exchange(memory_.trial, std::nullopt);
  memory_.reason = reason;
  until_.reset();
  enter(State::reverted, now);
  if (auto done = save(); !done) log_error(done.error().message());
  put_back();
}

void Management::put_back() {
  dhcp_.reset();
  lease_ = {};
  auto done = memory_.back->network.enforce();
  if (auto conf = conf_.put_back(memory_.back->resolv_conf); done) done = std::move(conf);
  if (!done) {
    if (fault_ != done.error().message())
      log_error("The management network is not as it was: " + done.error().message());
    fault_ = done.error().message();
    return;
  }
  fault_.clear();
  memory_.back.reset();
  if (auto kept = save(); !kept) log_error(kept.error().message());
  if (memory_.confirmed) {
    done = set(*memory_.confirmed, true);
    fault_ = done ? "" : done.error().message();
  }
}

std::optional<std::uint64_t> Management::trial() const {
  if (memory_.state != State::trial) return std::nullopt;
  return memory_.version;
}

std::string Management::device() const {
  const ManagementWish* wish = in_force();
  return wish == nullptr ? std::string() : wish->device();
}

Result<void> Management::confirm(std::uint64_t version, Timestamp now) {
  if (memory_.state == State::confirmed && memory_.version == version) return {};
  if (memory_.state != State::trial || memory_.version != version)
    return fail(ErrorKind::usage, "confirm", "the management network",
                memory_.state == State::trial
                    ? "version " + std::to_string(memory_.version) + " is on trial, no other"
                    : "none is on trial");
  ManagementMemory then = memory_;
  then.confirmed = std::exchange(then.trial, std::nullopt);
  then.back.reset();
  then.state = State::confirmed;
  then.since = now;
  if (auto done = replace_file(file(), then.to_json()); !done) return done;
  memory_ = std::move(then);
  until_.reset();
  log_info("The management network is confirmed");
  return {};
}

ManagementReport Management::report() const {
  ManagementReport report;
  report.state = memory_.state;
  report.version = memory_.version;
  report.since = memory_.since;
  report.until = until_;
  report.reason = memory_.reason;
  if (!fault_.empty()) report.reason += (report.reason.empty() ? "" : "; ") + fault_;
  const ManagementWish* wish = in_force();
  if (wish == nullptr && memory_.refused) wish = &*memory_.refused;
  if (wish == nullptr) return report;
  report.interface = wish->device();
  auto links = Links::open();
  if (!links) return report;
  const auto link = links->find(report.interface);
  if (!link || !*link) return report;
  if (auto has = links->addresses((*link)->index)) report.addresses = std::move(*has);
  return report;
}

std::optional<Health> Management::health() const {
  if (memory_.state == State::none && fault_.empty()) return std::nullopt;
  Health health;
  health.name = "management network";
  health.state = HealthState::healthy;
  health.since = memory_.since;
  if (memory_.state == State::trial) {
    health.evidence = "on trial";
  } else if (memory_.state == State::reverted) {
    health.state = HealthState::degraded;
    health.cause = "the change of the management network went back";
    health.evidence = memory_.reason;
    health.fix = "mend the cause and wish for another: the same is not tried again";
  }
  if (!fault_.empty() && memory_.state != State::trial) {
    health.state = HealthState::failed;
    health.cause = "the management network is not as it shall be";
    health.evidence = fault_;
    health.fix = "look at the interface on the machine; it is tried again every five seconds";
  }
  return health;
}

std::vector<std::string> Management::interfaces() const {
  std::vector<std::string> all;
  for (const auto& wish : {memory_.confirmed, memory_.trial}) {
    if (!wish) continue;
    for (std::string& one : interfaces_of(*wish))
      all.push_back(std::move(one));
  }
  return all;
}

}  // namespace beaconry
