// How a wished file comes: ordered, pulled, checked.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "sensor/services/resources.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMostDownloads = 4;
constexpr std::size_t kLongestSignature = 16 << 10;
constexpr std::chrono::minutes kDownloadDeadline{15};  // of the downloader; a pull always ends
constexpr std::uint64_t kLeftFree = std::uint64_t{16} << 20;

}  // namespace

// The downloader is no way out for an instrument without a network: what it fetches, somebody
// wrote.
void Resources::refuse_foreign(Timestamp steady, Timestamp now) {
  for (auto& [instance, mine] : holders_) {
    for (auto& [name, one] : mine.entries) {
      if (!one.is_due(steady) || options_.is_written(instance, one.wish.url)) continue;
      one.not_asked_for("its url " + terminal_safe(one.wish.url) +
                            " does not stand in the instance's configuration: write it there",
                        steady, now);
      log_warning(instance + ": resource " + name + " is not fetched: " + one.reason);
      say_state(instance, one);
      mine.changed = true;
    }
  }
}

void Resources::order_due(Timestamp steady, Timestamp now) {
  refuse_foreign(steady, now);
  // From behind the one whose turn was last, so that none waits for ever behind others' names.
  std::vector<std::string> turns;
  for (auto at = holders_.upper_bound(last_turn_); at != holders_.end(); ++at)
    turns.push_back(at->first);
  for (auto at = holders_.begin(); at != holders_.upper_bound(last_turn_); ++at)
    turns.push_back(at->first);
  for (const std::string& instance : turns) {
    if (!order_one(instance, steady, now)) return;
  }
}

// The same is on its way for another; one that must have another's hash is refused by the
// downloader.
bool Resources::join(const std::string& instance, const std::string& name, ResourceEntry& one,
                     Timestamp now) {
  const auto same = std::find_if(downloads_.begin(), downloads_.end(), [&](const auto& download) {
    const Download& other = download.second;
    return other.order.url == one.wish.url && !other.pulling && !other.check &&
           other.order.most_bytes >= one.wish.most_bytes &&
           (other.order.sha256.empty() || other.order.sha256 == one.wish.sha256) &&
           (other.etag.empty() || other.etag == one.etag);
  });
  if (same == downloads_.end()) return false;
  same->second.wanted_by.emplace_back(instance, name);
  one.downloading(now);
  say_state(instance, one);
  return true;
}

// What is due for it, and of that one order. False: nobody can be ordered from now.
bool Resources::order_one(const std::string& instance, Timestamp steady, Timestamp now) {
  for (auto& [name, one] : holders_[instance].entries) {
    if (!one.is_due(steady) || join(instance, name, one, now)) continue;
    const std::string downloader = options_.downloader();
    if (downloader.empty()) {
      one.wait_for("no downloader instrument runs", now);
      continue;
    }
    const bool has_one =
        std::any_of(downloads_.begin(), downloads_.end(),
                    [&](const auto& download) { return download.second.asked_by == instance; });
    if (has_one || downloads_.size() >= kMostDownloads) continue;
    Download download;
    download.downloader = downloader;
    download.asked_by = instance;
    download.order.uuid = make_uuid();
    download.order.url = one.wish.url;
    download.order.most_bytes = one.wish.most_bytes;
    download.order.sha256 = one.wish.sha256;
    // Others that want the same now share it: the tag counts only where all have that version.
    download.etag = one.installed.empty() && one.refused.empty() ? "" : one.etag;
    for (auto& [other_instance, other] : holders_) {
      for (auto& [other_name, twin] : other.entries) {
        if (twin.wish.url != one.wish.url || !twin.is_due(steady)) continue;
        download.wanted_by.emplace_back(other_instance, other_name);
        download.order.most_bytes = std::max(download.order.most_bytes, twin.wish.most_bytes);
        if (twin.wish.sha256 != download.order.sha256) download.order.sha256.clear();
        if (twin.etag != download.etag || (twin.installed.empty() && twin.refused.empty())) {
          download.etag.clear();
        }
      }
    }
    download.order.etag = download.etag;
    download.deadline = steady + kDownloadDeadline;
    if (!options_.order(downloader, download.order)) return false;  // the bus is away
    last_turn_ = instance;
    for (const auto& [for_instance, for_name] : download.wanted_by) {
      ResourceEntry* wanted = entry(for_instance, for_name);
      wanted->downloading(now);
      say_state(for_instance, *wanted);
    }
    downloads_.emplace(download.order.uuid, std::move(download));
  }
  return true;
}

void Resources::fetched(const std::string& downloader, const FetchResult& result, Timestamp steady,
                        Timestamp now) {
  steady_ = steady;
  now_ = now;
  const auto at = downloads_.find(result.uuid);
  if (at == downloads_.end() || at->second.downloader != downloader || at->second.pulling) return;
  Download& download = at->second;
  if (result.state == "fetched") return pull(download, result);
  if (result.state == "unchanged" && !download.etag.empty()) {
    for (const auto& [instance, name] : download.wanted_by) {
      ResourceEntry* one = entry(instance, name);
      if (one == nullptr) continue;
      // What was rolled back is still what is offered: that stays a failure.
      if (!one->rollback.empty()) {
        one->failed(one->rollback, steady, now);
      } else {
        one->unchanged(download.etag, steady, now);
      }
      say_state(instance, *one);
      holders_[instance].changed = true;
    }
  } else {
    fail_all(download, result.reason.empty() ? "the downloader gives no reason" : result.reason,
             steady, now);
  }
  downloads_.erase(at);
}

void Resources::pull(Download& download, const FetchResult& result) {
  const auto is_path = [](const std::string& path) {
    return path.starts_with("/transient-data/") && path.size() < 1024 &&
           path.find("/../") == std::string::npos && !path.ends_with("/..") &&
           path.find('\0') == std::string::npos;
  };
  const std::string uuid = download.order.uuid;
  if (!is_path(result.path) ||
      (!result.signature_path.empty() && !is_path(result.signature_path))) {
    fail_all(download, "the downloader names a path that is not under /transient-data", steady_,
             now_);
    downloads_.erase(uuid);
    return;
  }
  // What the downloader says of its size holds: more than that is not taken.
  const bool told = result.bytes != 0 && result.bytes <= download.order.most_bytes;
  const std::uint64_t most = told ? result.bytes : download.order.most_bytes;
  if (const std::string why = why_no_room(most, download.wanted_by.size()); !why.empty()) {
    fail_all(download, why, steady_, now_);
    downloads_.erase(uuid);
    return;
  }
  download.pulling = true;
  download.etag = result.etag;
  download.file = options_.folder + "/.staging/" + uuid;
  const std::string signature = result.signature_path, downloader = download.downloader;
  const std::string signature_file = download.file + ".minisig";
  const std::weak_ptr<bool> alive = alive_;
  // Given up meanwhile: what came is nobody's.
  const auto drop = [file = download.file, signature_file] {
    ::unlink(file.c_str());
    ::unlink(signature_file.c_str());
  };
  const auto failed = [this, uuid, drop, most](const Error& error) {
    const auto at = downloads_.find(uuid);
    if (at == downloads_.end()) return drop();
    const bool large = error.kind == ErrorKind::limit;
    fail_all(at->second,
             large ? "it is too large: more than " + std::to_string(most) + " bytes"
                   : "taking it from the downloader: " + error.message(),
             steady_, now_);
    drop_files(at->second);
    downloads_.erase(at);
  };
  options_.pull(downloader, result.path, download.file, most, [=, this](Result<void> done) {
    if (alive.expired()) return;
    if (!done) return failed(done.error());
    const auto at = downloads_.find(uuid);
    if (at == downloads_.end()) return drop();
    if (signature.empty()) return check(at->second);
    options_.pull(downloader, signature, signature_file, kLongestSignature,
                  [=, this](Result<void> also) {
                    if (alive.expired()) return;
                    if (!also) return failed(also.error());
                    const auto there = downloads_.find(uuid);
                    if (there == downloads_.end()) return drop();
                    there->second.signature = signature_file;
                    check(there->second);
                  });
  });
}

std::string Resources::why_no_room(std::uint64_t bytes, std::size_t copies) const {
  std::uint64_t free = 0;
  if (options_.free_bytes) {
    free = options_.free_bytes();
  } else {
    std::error_code error;
    const auto space = std::filesystem::space(options_.folder, error);
    if (error) return {};  // writing tells
    free = space.available;
  }
  const std::uint64_t need = bytes * (copies + 1) + kLeftFree;
  if (need <= free) return {};
  const auto words = [](std::uint64_t count) { return bytes_in_words(static_cast<double>(count)); };
  return "there is no room for it: " + words(bytes) + " are put beside and copied for " +
         std::to_string(copies) + ", " + words(kLeftFree) + " stay free, and " + options_.folder +
         " has " + words(free);
}

void Resources::check(Download& download) {
  std::vector<ResourceTarget> targets;
  for (const auto& [instance, name] : download.wanted_by) {
    const ResourceEntry* one = entry(instance, name);
    if (one == nullptr) continue;
    targets.push_back({instance, one->wish, one->installed, one->refused, one->accepted,
                       options_.is_written(instance, one->wish.sha256), store(instance).folder()});
  }
  download.check = std::async(std::launch::async, check_resource, download.file, download.signature,
                              options_.keys_folder, std::move(targets));
}

void Resources::fail_all(Download& download, const std::string& why, Timestamp steady,
                         Timestamp now) {
  for (const auto& [instance, name] : download.wanted_by) {
    ResourceEntry* one = entry(instance, name);
    if (one == nullptr || one->state != UpdateState::downloading) continue;
    one->failed(why, steady, now);
    say_state(instance, *one);
    holders_[instance].changed = true;
  }
}

void Resources::drop_files(const Download& download) const {
  if (download.file.empty()) return;
  ::unlink(download.file.c_str());
  ::unlink((download.file + ".minisig").c_str());
}

void Resources::follow_downloads(Timestamp steady, Timestamp now) {
  std::set<std::string> touched;
  for (auto at = downloads_.begin(); at != downloads_.end();) {
    Download& download = at->second;
    if (download.check) {
      if (download.check->wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
        ++at;
        continue;
      }
      take(download, download.check->get(), steady, now);
      for (const auto& wanted : download.wanted_by)
        touched.insert(wanted.first);
    } else if (steady >= download.deadline && !download.pulling) {
      fail_all(download, "the downloader did not do it in time", steady, now);
    } else {
      ++at;
      continue;
    }
    drop_files(download);
    at = downloads_.erase(at);
  }
  // A version that nobody wishes for any more was perhaps put into a store meanwhile.
  for (const std::string& instance : touched)
    clean(instance);
}

void Resources::take(const Download& download, const CheckedResource& checked, Timestamp steady,
                     Timestamp now) {
  for (const ResourceVerdict& verdict : checked.verdicts) {
    ResourceEntry* one = entry(verdict.instance, verdict.name);
    // Meanwhile removed, or wished for otherwise.
    if (one == nullptr || one->state != UpdateState::downloading) continue;
    using What = ResourceVerdict::What;
    switch (verdict.what) {
      case What::same:
        one->accepted = std::max(one->accepted, verdict.signed_at);
        one->unchanged(download.etag, steady, now);
        break;
      case What::install:
        one->signed_at = verdict.signed_at;
        install(verdict.instance, *one, checked.sha256, download.etag, steady, now);
        continue;  // it may be gone
      case What::refused: {
        if (one->is_refused(checked.sha256)) {
          one->etag = download.etag;
          one->rollback = verdict.reason;
        } else {
          one->etag.clear();  // its signature may come right while it stays as it is
        }
        one->failed(verdict.reason, steady, now);
        const std::string message =
            verdict.instance + ": resource " + verdict.name + " is refused: " + one->reason;
        log_warning(message);
        options_.tell(
            verdict.instance, "resource_refused", message,
            Json{{"resource", verdict.name}, {"url", one->wish.url}, {"sha256", checked.sha256}}
                .dump());
        break;
      }
      case What::failed:
        one->failed(verdict.reason, steady, now);
        break;
    }
    say_state(verdict.instance, *one);
    holders_[verdict.instance].changed = true;
  }
}

}  // namespace beaconry
