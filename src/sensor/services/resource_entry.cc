#include "sensor/services/resource_entry.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/hex.h"
#include "base/text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
constexpr std::array<std::chrono::minutes, 6> kRetries{
    std::chrono::minutes{1},  std::chrono::minutes{5},  std::chrono::minutes{10},
    std::chrono::minutes{15}, std::chrono::minutes{30}, std::chrono::minutes{60}};
constexpr std::size_t kMostRefused = 32, kLongestName = 64, kLongestUrl = 2048;
constexpr std::size_t kLongestReason = 500, kLongestEtag = 256;
constexpr std::chrono::hours kRarest{24 * 365};

std::string text_of(const Json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::uint64_t number_of(const Json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

std::string hash_of(const Json& json, const char* key) {
  const std::string text = text_of(json, key);
  return is_lower_hex(text, 64) ? text : std::string();
}

bool is_same_file(const ResourceWish& a, const ResourceWish& b) {
  return a.url == b.url && a.sha256 == b.sha256 && a.executable == b.executable;
}

}  // namespace

std::string ResourceEntry::why_not(const ResourceWish& wish) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '+';
  };
  if (wish.name.empty() || wish.name.size() > kLongestName || wish.name.front() == '.' ||
      !std::all_of(wish.name.begin(), wish.name.end(), is_plain)) {
    return "its name must be of letters, digits and -_.+, at most 64, and not begin with a dot";
  }
  if (wish.url.size() > kLongestUrl ||
      (!wish.url.starts_with("http://") && !wish.url.starts_with("https://"))) {
    return "its url must begin with http:// or https://";
  }
  if (!wish.sha256.empty() && !is_lower_hex(wish.sha256, 64))
    return "its sha256 must be 64 hex digits";
  if (wish.most_bytes == 0 || wish.most_bytes > kMostBytes) {
    return "its most_bytes must be 1 to " + std::to_string(kMostBytes);
  }
  return {};
}

ResourceEntry::ResourceEntry(const ResourceWish& of, Timestamp steady, Timestamp now)
    : wish(of), since(now), next_(steady) {
  wish.every = std::clamp<std::chrono::seconds>(wish.every, kSoonest, kRarest);
}

void ResourceEntry::wish_again(const ResourceWish& of, Timestamp steady, Timestamp now) {
  const bool same = is_same_file(wish, of);
  const auto every = wish.every;
  // The same bytes with another mode are another version.
  if (wish.executable != of.executable && !is_installing()) installed.clear();
  wish = of;
  wish.every = std::clamp<std::chrono::seconds>(wish.every, kSoonest, kRarest);
  if (same) {
    if (wish.every < every) next_ = std::min(next_, steady + wish.every);
    return;
  }
  etag.clear();
  rollback.clear();
  // Who changes its mind after each failure would else have the downloader for itself.
  if (attempts_ == 0) next_ = steady;
  if (!is_installing()) become(UpdateState::pending, "", now);
}

void ResourceEntry::hurry(Timestamp steady) {
  next_ = std::min(next_, steady);
}

bool ResourceEntry::is_due(Timestamp steady) const {
  return !is_installing() && state != UpdateState::downloading && steady >= next_;
}

void ResourceEntry::become(UpdateState next, const std::string& why, Timestamp now) {
  if (state != next) since = now;
  state = next;
  reason = utf8_valid(why.substr(0, kLongestReason));
  if (next != UpdateState::failed) retry.reset();
}

void ResourceEntry::wait_for(const std::string& why, Timestamp now) {
  if (state == UpdateState::failed && !why.empty()) return;  // its own reason says more
  become(UpdateState::pending, why, now);
}

void ResourceEntry::downloading(Timestamp now) {
  become(UpdateState::downloading, "", now);
}

void ResourceEntry::unchanged(const std::string& of, Timestamp steady, Timestamp now) {
  if (!of.empty() && of.size() <= kLongestEtag) etag = of;
  rollback.clear();
  attempts_ = 0;
  looked = now;
  next_ = steady + wish.every;
  if (installed.empty()) return failed("the server says unchanged, but there is none", steady, now);
  become(UpdateState::installed, "", now);
}

void ResourceEntry::failed(const std::string& why, Timestamp steady, Timestamp now) {
  not_asked_for(why, steady, now);
  ++attempts_;
}

void ResourceEntry::not_asked_for(const std::string& why, Timestamp steady, Timestamp now) {
  const auto pause = kRetries[std::min<std::size_t>(attempts_, kRetries.size() - 1)];
  become(UpdateState::failed, why, now);
  looked = now;
  next_ = steady + pause;
  retry = now + pause;
}

void ResourceEntry::installing(const std::string& sha256, const std::string& of, Timestamp now) {
  previous = std::exchange(installed, sha256);
  etag = of.size() <= kLongestEtag ? of : std::string();
  rollback.clear();
  restarted = false;
  confirm_by.reset();
  confirm_from.reset();
  asked_restart.reset();
  become(UpdateState::installing, "", now);
}

void ResourceEntry::confirmed(Timestamp steady, Timestamp now) {
  previous.clear();
  accepted = std::max(accepted, std::exchange(signed_at, 0));
  attempts_ = 0;
  looked = now;
  next_ = steady + wish.every;
  become(UpdateState::installed, "", now);
}

void ResourceEntry::rolled_back(const std::string& why, Timestamp steady, Timestamp now) {
  if (refused.size() >= kMostRefused) refused.erase(refused.begin());
  refused.push_back(installed);
  installed = std::exchange(previous, {});
  signed_at = 0;
  rollback = why;
  failed(why, steady, now);
}

bool ResourceEntry::is_refused(const std::string& sha256) const {
  return std::find(refused.begin(), refused.end(), sha256) != refused.end();
}

std::string ResourceEntry::kept() const {
  Json kept{{"name", wish.name},
            {"url", wish.url},
            {"every_seconds", static_cast<std::uint64_t>(wish.every.count())},
            {"most_bytes", wish.most_bytes},
            {"sha256", wish.sha256},
            {"executable", wish.executable},
            {"restart", wish.restart},
            {"state", to_string(state)},
            {"reason", reason},
            {"since", to_rfc3339(since)},
            {"etag", etag},
            {"installed", installed},
            {"previous", previous},
            {"refused", refused},
            {"rollback", rollback},
            {"accepted", accepted},
            {"signed_at", signed_at},
            {"restarted", restarted},
            {"attempts", attempts_}};
  if (retry) kept["retry"] = to_rfc3339(*retry);
  return kept.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<ResourceEntry> ResourceEntry::restore(std::string_view kept_json, Timestamp steady,
                                                    Timestamp now) {
  const Json kept = Json::parse(kept_json, nullptr, false);
  if (!kept.is_object()) return std::nullopt;
  ResourceWish wish;
  wish.name = text_of(kept, "name");
  wish.url = text_of(kept, "url");
  wish.every = std::chrono::seconds{std::min<std::uint64_t>(number_of(kept, "every_seconds"),
                                                            std::chrono::seconds(kRarest).count())};
  wish.most_bytes = number_of(kept, "most_bytes");
  wish.sha256 = text_of(kept, "sha256");
  wish.executable = kept.value("executable", Json()) == true;
  wish.restart = kept.value("restart", Json()) == true;
  if (!why_not(wish).empty()) return std::nullopt;
  ResourceEntry entry(wish, steady, now);
  entry.since = parse_rfc3339(text_of(kept, "since")).value_or(now);
  entry.reason = text_of(kept, "reason");
  entry.etag = text_of(kept, "etag");
  entry.installed = hash_of(kept, "installed");
  entry.previous = hash_of(kept, "previous");
  entry.rollback = text_of(kept, "rollback");
  if (const auto refused = kept.find("refused"); refused != kept.end() && refused->is_array()) {
    for (const Json& one : *refused) {
      if (one.is_string() && is_lower_hex(one.get<std::string>(), 64)) entry.refused.push_back(one);
    }
  }
  entry.accepted = number_of(kept, "accepted");
  entry.signed_at = number_of(kept, "signed_at");
  entry.restarted = kept.value("restarted", Json()) == true;
  entry.attempts_ =
      static_cast<unsigned>(std::min<std::uint64_t>(number_of(kept, "attempts"), 100));
  const std::string state = text_of(kept, "state");
  // A download that was under way begins anew; an installation goes on where it was.
  if (state == to_string(UpdateState::installing) && !entry.installed.empty()) {
    entry.state = UpdateState::installing;
  } else if (state == to_string(UpdateState::installed)) {
    entry.state = UpdateState::installed;
  } else if (state == to_string(UpdateState::failed)) {
    entry.state = UpdateState::failed;
    entry.retry = parse_rfc3339(text_of(kept, "retry"));
    if (entry.retry && *entry.retry > now) {
      entry.next_ = steady + std::min<Duration>(*entry.retry - now, kRetries.back());
    }
  }
  return entry;
}

}  // namespace beaconry
