#include "sensor/services/resources.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "spool/disk.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kLongestState = 1 << 20;

}  // namespace

Resources::Resources(Options options)
    : options_(std::move(options)), alive_(std::make_shared<bool>(true)) {}

Resources::~Resources() {
  for (auto& [instance, holder] : holders_) {
    if (holder.changed) save(instance);
  }
}

Result<void> Resources::open() {
  const std::string staging = options_.folder + "/.staging";
  if (auto made = make_folder(staging); !made) return made;
  // What a predecessor had fetched is fetched again.
  const auto left = file_names(staging);
  if (!left) return tl::unexpected<Error>(left.error());
  for (const std::string& name : *left)
    ::unlink((staging + "/" + name).c_str());
  return {};
}

ResourceStore Resources::store(const std::string& instance) const {
  return ResourceStore(options_.folder + "/" + instance);
}

Resources::Holder& Resources::holder(const std::string& instance, Timestamp steady, Timestamp now) {
  const auto [place, is_new] = holders_.try_emplace(instance);
  Holder& holder = place->second;
  if (!is_new) return holder;
  if (auto opened = store(instance).open(); !opened) log_error(opened.error().message());
  const auto text = read_small_file(options_.folder + "/" + instance + ".json", kLongestState);
  if (!text) return holder;
  const Json kept = Json::parse(*text, nullptr, false);
  if (!kept.is_array()) {
    log_error("resources of " + instance + ": their file is damaged; it wishes for them again");
    return holder;
  }
  for (const Json& one : kept) {
    auto entry = ResourceEntry::restore(one.dump(), steady, now);
    if (!entry || holder.entries.size() >= kMostWishes) continue;
    // After a kill between the record and the switch.
    const auto pointed =
        store(instance).point(entry->wish.name, entry->installed, entry->wish.executable);
    if (!pointed) log_error("resources of " + instance + ": " + pointed.error().message());
    holder.entries[entry->wish.name] = std::move(*entry);
  }
  return holder;
}

ResourceEntry* Resources::entry(const std::string& instance, const std::string& name) {
  const auto holder = holders_.find(instance);
  if (holder == holders_.end()) return nullptr;
  const auto at = holder->second.entries.find(name);
  return at == holder->second.entries.end() ? nullptr : &at->second;
}

void Resources::save(const std::string& instance) {
  Holder& holder = holders_[instance];
  Json kept = Json::array();
  for (const auto& [name, entry] : holder.entries)
    kept.push_back(Json::parse(entry.kept()));
  const auto written = replace_file(options_.folder + "/" + instance + ".json",
                                    kept.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!written) log_error("resources of " + instance + ": " + written.error().message());
  holder.changed = false;
}

void Resources::say_state(const std::string& instance, const ResourceEntry& entry) {
  options_.state(instance, {entry.wish.name, std::string(to_string(entry.state)), entry.reason,
                            entry.installed});
}

Result<std::string> Resources::prepare(const std::string& instance, Timestamp steady,
                                       Timestamp now) {
  const ResourceStore files = store(instance);
  if (auto opened = files.open(); !opened) return tl::unexpected<Error>(opened.error());
  Holder& mine = holder(instance, steady, now);
  mine.prepared = true;
  return files.folder();
}

void Resources::started(const std::string& instance, bool taken_over,
                        std::chrono::seconds healthy_within, Timestamp steady, Timestamp now) {
  Holder& mine = holder(instance, steady, now);
  mine.running = true;
  mine.prepared = mine.stopping = false;
  mine.wished.clear();
  mine.healthy_within = healthy_within;
  for (auto& [name, one] : mine.entries) {
    if (!one.is_installing() || one.confirm_by) continue;
    // Taken over, it may still run with what was there before: it is asked to start again.
    if (taken_over && !one.restarted) continue;
    one.restarted = true;
    one.confirm_by = steady + healthy_within;
    one.confirm_from = now;
    mine.changed = true;
  }
  clean(instance);
}

void Resources::stopping(const std::string& instance) {
  const auto at = holders_.find(instance);
  if (at != holders_.end()) at->second.stopping = true;
}

void Resources::stopped(const std::string& instance, Timestamp steady, Timestamp now) {
  const auto at = holders_.find(instance);
  if (at != holders_.end()) {
    Holder& mine = at->second;
    const bool never_started = std::exchange(mine.prepared, false);
    mine.running = false;
    const bool on_purpose = std::exchange(mine.stopping, false);
    for (auto& [name, one] : mine.entries) {
      if (on_purpose || !one.is_installing() || (!one.confirm_by && !never_started)) continue;
      roll_back(instance, one, "it ended with version " + one.installed.substr(0, 12), steady, now);
    }
  }
  for (auto& [uuid, download] : downloads_) {
    if (download.downloader == instance && !download.check) download.deadline = steady_;
  }
}

void Resources::removed(const std::string& instance) {
  holders_.erase(instance);
  ::unlink((options_.folder + "/" + instance + ".json").c_str());
  store(instance).remove();
}

void Resources::configured(const std::string& instance, Timestamp steady) {
  const auto at = holders_.find(instance);
  if (at == holders_.end()) return;
  for (auto& [name, one] : at->second.entries) {
    if (one.state == UpdateState::failed) one.hurry(steady);
  }
}

void Resources::want(const std::string& instance, const ResourceWish& wish, Timestamp steady,
                     Timestamp now) {
  const auto refuse = [&](const std::string& why) {
    options_.state(instance, {wish.name, std::string(to_string(UpdateState::failed)), why, ""});
  };
  if (const std::string why = ResourceEntry::why_not(wish); !why.empty()) return refuse(why);
  Holder& mine = holder(instance, steady, now);
  const auto known = mine.entries.find(wish.name);
  if (known != mine.entries.end()) {
    known->second.wish_again(wish, steady, now);
  } else {
    if (mine.entries.size() >= kMostWishes) {
      // The place of one that this run of the instrument has not wished for.
      const auto old = std::find_if(mine.entries.begin(), mine.entries.end(), [&](const auto& one) {
        return mine.wished.count(one.first) == 0 && !one.second.is_installing();
      });
      if (old == mine.entries.end()) {
        return refuse("it has wished for " + std::to_string(kMostWishes) + " files already");
      }
      mine.entries.erase(old);
      clean(instance);
    }
    mine.entries[wish.name] = ResourceEntry(wish, steady, now);
  }
  mine.wished.insert(wish.name);
  save(instance);
  say_state(instance, mine.entries[wish.name]);
}

void Resources::work(Timestamp steady, Timestamp now) {
  steady_ = steady;
  now_ = now;
  order_due(steady, now);
  follow_downloads(steady, now);
  for (auto& [instance, mine] : holders_) {
    confirm(instance, mine, steady, now);
    if (mine.changed) save(instance);
  }
}

std::optional<Result<void>> Resources::fetch_now(const std::string& instance, Timestamp steady) {
  const auto at = holders_.find(instance);
  if (at == holders_.end() || at->second.entries.empty()) return std::nullopt;
  for (auto& [name, one] : at->second.entries)
    one.hurry(steady);
  if (options_.downloader().empty()) {
    return Result<void>(
        fail(ErrorKind::not_found, "update", instance, "no downloader instrument runs: start one"));
  }
  return Result<void>();
}

std::vector<InstanceReport::Resource> Resources::report(const std::string& instance) const {
  std::vector<InstanceReport::Resource> all;
  const auto at = holders_.find(instance);
  if (at == holders_.end()) return all;
  for (const auto& [name, one] : at->second.entries) {
    InstanceReport::Resource resource{name,      one.wish.url, one.reason, one.installed,
                                      one.state, one.since,    one.looked, one.retry};
    // On trial it is what it shall have; so long what it goes back to is what it has.
    if (one.is_installing()) resource.version = one.previous;
    all.push_back(std::move(resource));
  }
  return all;
}

std::vector<Health> Resources::health(const std::string& instance) const {
  std::vector<Health> parts;
  const auto at = holders_.find(instance);
  if (at == holders_.end()) return parts;
  for (const auto& [name, one] : at->second.entries) {
    Health part;
    part.name = "resource " + name;
    part.state = HealthState::healthy;
    part.evidence = std::string(to_string(one.state)) +
                    (one.installed.empty() ? "" : ", version " + one.installed.substr(0, 12));
    if (one.state == UpdateState::failed) {
      part.state = HealthState::degraded;
      part.cause = "resource " + name + " is not updated";
      part.evidence = one.reason;
      part.fix = "look at its server and its signature; beaconry instrument update " + instance +
                 " tries again at once";
    } else if (one.state == UpdateState::pending && one.installed.empty() && !one.reason.empty()) {
      part.state = HealthState::degraded;
      part.cause = one.reason;
      part.fix = "start a downloader instrument";
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace beaconry
