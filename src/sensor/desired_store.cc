#include "sensor/desired_store.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::string_view kSuffix = ".yaml";
constexpr std::size_t kMostVersions = 100, kMostFiles = 256;
constexpr auto kStill = std::chrono::seconds{2};

bool take(const InstanceWish& from_file, const DesiredState& before, const MergeParts& parts,
          DesiredState& after, std::vector<std::string>& problems) {
  const auto complain = [&](const std::string& why) {
    problems.push_back(terminal_safe(from_file.source) + ": " + from_file.name + ": " + why);
    return false;
  };
  InstanceWish wish = from_file;
  const auto had = before.instances.find(wish.name);
  // Taken over, it would go when the file does, and whoever installed it would not know why.
  if (had != before.instances.end() && had->second.source.empty()) {
    return complain(
        "it was installed by a command, and stays as it is: remove it first "
        "(beaconry instrument remove " +
        wish.name + "), or leave it out of the file");
  }
  const auto image = parts.resolve(wish.image);
  if (!image) return complain(image.error().message());
  if (!*image) return false;
  wish.image = **image;
  if (had != before.instances.end()) {
    wish.restarts = had->second.restarts;
    if (wish.approved.empty()) wish.approved = had->second.approved;
  }
  if (const auto checked = parts.check(wish); !checked) {
    return complain(checked.error().message());
  }
  after.instances[wish.name] = std::move(wish);
  return true;
}

}  // namespace

DesiredState merge_files(const DesiredState& before, const std::vector<ReadFile>& files,
                         const MergeParts& parts, std::vector<std::string>& problems) {
  std::set<std::string> bad;
  std::map<std::string, std::vector<const InstanceWish*>> defined;
  for (const ReadFile& file : files) {
    if (!file.content) {
      bad.insert(file.path);
      problems.push_back(file.content.error().message());
      continue;
    }
    const bool had_some =
        std::any_of(before.instances.begin(), before.instances.end(),
                    [&](const auto& entry) { return entry.second.source == file.path; });
    if (file.content->blank && had_some) {  // cut off, rather than meant
      bad.insert(file.path);
      problems.push_back(terminal_safe(file.path) +
                         " is empty: what it defined stays as it was; remove the file or write " +
                         "'instances: {}' if all of it shall go");
      continue;
    }
    for (const InstanceWish& wish : file.content->instances)
      defined[wish.name].push_back(&wish);
  }
  DesiredState after;
  after.management = before.management;
  after.management_source = before.management_source;
  for (const auto& [name, wish] : before.instances) {
    const bool stays = wish.source.empty() || wish.source == kFleetSource ||
                       bad.count(wish.source) != 0 || defined.count(name) != 0;
    if (stays) after.instances.emplace(name, wish);
  }
  for (const auto& [name, wishes] : defined) {
    if (wishes.size() == 1) {
      take(*wishes.front(), before, parts, after, problems);
      continue;
    }
    std::string list;
    for (const InstanceWish* wish : wishes)
      list += (list.empty() ? "" : " and ") + terminal_safe(wish->source);
    problems.push_back(name + " is defined by " + list + ": it stays as it was; remove one");
  }
  return after;
}

Result<DesiredStore> DesiredStore::open(const std::string& state_folder,
                                        const std::string& desired_folder) {
  auto history = DocumentHistory::open(state_folder + "/desired", kMostVersions);
  if (!history) return tl::unexpected<Error>(std::move(history.error()));
  // To go on with an older version, or none, would remove instances with their data.
  if (const auto numbers = history->numbers();
      !numbers.empty() && (!history->current() || history->current()->number != numbers.back())) {
    return fail(ErrorKind::malformed, "read", state_folder + "/desired",
                "version " + std::to_string(numbers.back()) +
                    " is damaged; put it back from a copy, or remove its file to go on with the "
                    "version before");
  }
  DesiredStore store(std::move(*history));
  store.desired_folder_ = desired_folder;
  if (store.history_.current()) {
    auto state = DesiredState::parse(store.history_.current()->json);
    if (!state) return tl::unexpected<Error>(std::move(state.error()));
    store.state_ = std::move(*state);
  }
  return store;
}

Result<std::uint64_t> DesiredStore::set(const DesiredState& state, const std::string& who,
                                        const std::string& how, Timestamp now) {
  return keep(with_fleet(state), who, how, now);
}

Result<std::uint64_t> DesiredStore::keep(Merged merged, const std::string& who,
                                         const std::string& how, Timestamp now) {
  const std::string json = merged.state.to_json();
  // What the next start could not read is not kept: that would be the end of this sensor.
  if (auto read = DesiredState::parse(json); !read)
    return tl::unexpected<Error>(std::move(read.error()));
  auto version = history_.add(json, who, how, now);
  if (!version) return tl::unexpected<Error>(std::move(version.error()));
  state_ = std::move(merged.state);
  fleet_faults_ = std::move(merged.faults);
  fleet_problems_ = std::move(merged.problems);
  return version->number;
}

Result<std::uint64_t> DesiredStore::set_fleet(FleetWish fleet, CheckWish check, Timestamp now) {
  const std::string server = fleet.server;
  auto fleet_before = std::exchange(fleet_, std::move(fleet));
  auto check_before = std::exchange(check_, std::move(check));
  auto version = set(state_, server, std::string(kFleetSource), now);
  if (!version) {  // is set anew; until then all is as it was
    fleet_ = std::move(fleet_before);
    check_ = std::move(check_before);
  }
  say_problems();
  return version;
}

DesiredStore::Merged DesiredStore::with_fleet(const DesiredState& state) const {
  Merged merged;
  if (fleet_)
    merged.state = merge_fleet(state, state_, *fleet_, check_, merged.faults, merged.problems);
  else
    merged.state = state;
  return merged;
}

std::vector<std::string> DesiredStore::problems() const {
  std::vector<std::string> all = problems_;
  all.insert(all.end(), fleet_problems_.begin(), fleet_problems_.end());
  return all;
}

std::vector<std::string> DesiredStore::list_files(bool& readable) const {
  std::vector<std::string> files;
  DIR* entries = ::opendir(desired_folder_.c_str());
  readable = entries != nullptr;
  if (!readable) return files;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name.ends_with(kSuffix) && !name.starts_with(".")) {
      files.push_back(desired_folder_ + '/' + std::string(name));
    }
  }
  ::closedir(entries);
  std::sort(files.begin(), files.end());
  return files;
}

bool DesiredStore::files_changed(Timestamp now) {
  if (desired_folder_.empty()) return false;
  bool readable = false;
  std::string seen;
  for (const std::string& file : list_files(readable)) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) continue;
    seen += file + ' ' + std::to_string(status.st_mtim.tv_sec) + '.' +
            std::to_string(status.st_mtim.tv_nsec) + ' ' + std::to_string(status.st_size) + ' ' +
            std::to_string(status.st_ino) + '\n';
  }
  if (!readable) seen = "unreadable";
  if (seen_ == seen) {
    waiting_.reset();
    return std::exchange(again_, false) || !problems_.empty();
  }
  if (waiting_ != seen || now < waiting_since_) {
    waiting_ = std::move(seen);
    waiting_since_ = now;
    return false;
  }
  if (now - waiting_since_ < kStill) return false;
  seen_ = std::exchange(waiting_, std::nullopt);
  again_ = false;
  return true;
}

// Each once, however often the files are looked at.
void DesiredStore::say_problems() {
  std::vector<std::string> all = problems();
  for (const std::string& problem : all) {
    if (std::find(said_.begin(), said_.end(), problem) == said_.end()) log_error(problem);
  }
  said_ = std::move(all);
}

bool DesiredStore::read_files(const MergeParts& parts, Timestamp now) {
  problems_.clear();
  bool readable = false;
  const std::vector<std::string> paths = list_files(readable);
  if (!readable) {
    // A folder that is not there for a moment is no wish to remove all that its files defined.
    const bool some =
        std::any_of(state_.instances.begin(), state_.instances.end(), [](const auto& entry) {
          const std::string& source = entry.second.source;
          return !source.empty() && source != kFleetSource;
        });
    if (some) {
      problems_.push_back("read folder " + desired_folder_ + ": " + std::strerror(errno) +
                          "; what its files defined stays as it was");
    }
    say_problems();
    return false;
  }
  std::vector<ReadFile> files;
  for (const std::string& path : paths) {
    if (files.size() >= kMostFiles) {
      files.push_back({path, fail(ErrorKind::limit, "read", path,
                                  "there are more than " + std::to_string(kMostFiles) +
                                      " files; put several instances into one")});
      continue;
    }
    files.push_back({path, read_desired_file(path)});
  }
  Merged merged = with_fleet(merge_files(state_, files, parts, problems_));
  bool taken = merged.state.to_json() != state_.to_json();
  if (!taken) {
    fleet_faults_ = std::move(merged.faults);
    fleet_problems_ = std::move(merged.problems);
  } else if (auto kept = keep(std::move(merged), "", "file", now); !kept) {
    problems_.push_back(kept.error().message());
    taken = false;
  }
  say_problems();
  return taken;
}

}  // namespace beaconry
