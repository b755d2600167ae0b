// How a wished file is put in its place, confirmed or taken back.
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "sensor/services/resources.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
constexpr std::chrono::minutes kRestartDeadline{5};  // then it is asked for once more

std::string data_of(const ResourceEntry& entry, const std::string& sha256) {
  return Json{{"resource", entry.wish.name}, {"url", entry.wish.url}, {"sha256", sha256}}.dump();
}

}  // namespace

// In the order that a kill at any moment is survived: the record, the switch, the start.
void Resources::install(const std::string& instance, ResourceEntry& entry,
                        const std::string& sha256, const std::string& etag, Timestamp steady,
                        Timestamp now) {
  entry.installing(sha256, etag, now);
  save(instance);
  const auto pointed = store(instance).point(entry.wish.name, sha256, entry.wish.executable);
  if (!pointed) {
    entry.installed = std::exchange(entry.previous, {});
    entry.etag.clear();
    entry.failed(pointed.error().message(), steady, now);
    save(instance);
  }
  say_state(instance, entry);
}

void Resources::confirm(const std::string& instance, Holder& mine, Timestamp steady,
                        Timestamp now) {
  for (auto& [name, one] : mine.entries) {
    if (!one.is_installing()) continue;
    const bool healthy = one.confirm_from && options_.is_healthy_since(instance, *one.confirm_from);
    if (healthy || !one.wish.restart) {
      one.confirmed(steady, now);
      save(instance);
      const std::string message =
          instance + ": resource " + name + " is installed, version " + one.installed.substr(0, 12);
      log_info(message);
      options_.tell(instance, "resource_installed", message, data_of(one, one.installed));
      say_state(instance, one);
      clean(instance);
    } else if (one.confirm_by && steady >= *one.confirm_by) {
      roll_back(instance, one,
                "not healthy within " + to_words(mine.healthy_within) + " with version " +
                    one.installed.substr(0, 12),
                steady, now);
    } else if (!one.confirm_by && mine.running &&
               (!one.asked_restart || steady >= *one.asked_restart + kRestartDeadline)) {
      one.asked_restart = steady;
      options_.restart(instance, "resource " + name + " has changed");
    }
  }
}

void Resources::roll_back(const std::string& instance, ResourceEntry& one, const std::string& why,
                          Timestamp steady, Timestamp now) {
  const std::string bad = one.installed;
  one.rolled_back(why + ": the one before is back", steady, now);
  save(instance);
  const auto pointed = store(instance).point(one.wish.name, one.installed, one.wish.executable);
  if (!pointed) log_error("resources of " + instance + ": " + pointed.error().message());
  const std::string message =
      instance + ": resource " + one.wish.name + " is rolled back: " + one.reason;
  log_warning(message);
  options_.tell(instance, "update_rolled_back", message, data_of(one, bad));
  say_state(instance, one);
  options_.restart(instance, "resource " + one.wish.name + " was rolled back");
  clean(instance);
}

void Resources::clean(const std::string& instance) {
  const auto holder = holders_.find(instance);
  if (holder == holders_.end()) return;
  for (const auto& [uuid, download] : downloads_) {
    if (download.check) return;  // it may be putting a version there; another time
  }
  std::set<std::string> versions, names;
  for (const auto& [name, one] : holder->second.entries) {
    for (const std::string& sha256 : {one.installed, one.previous}) {
      if (sha256.empty()) continue;
      versions.insert(ResourceStore::version(sha256, one.wish.executable));
    }
    if (!one.installed.empty()) names.insert(name);
  }
  store(instance).keep_only(versions, names);
}

}  // namespace beaconry
