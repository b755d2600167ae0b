#include "beacon/probe_watch.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr double kAttemptsOfPatience = 30;
constexpr double kBytesOfAnAttempt = 1500;
constexpr double kLeastPatience = 180, kMostPatience = 24 * 3600;
constexpr std::chrono::hours kTellAgain{1};
constexpr std::size_t kMostTold = 1024;

}  // namespace

std::chrono::seconds ProbeWatch::patience(const ProbeConfig& config) {
  const double attempt =
      std::max(1 / config.packets_a_second, kBytesOfAnAttempt / config.bytes_a_second);
  double seconds = std::max(kLeastPatience, kAttemptsOfPatience * attempt);
  if (!config.long_cycle) seconds += static_cast<double>(config.short_period.count());
  return std::chrono::seconds{static_cast<std::int64_t>(std::min(seconds, kMostPatience))};
}

void ProbeWatch::started(std::chrono::seconds patience, Clock::time_point now) {
  patience_ = patience;
  since_ = last_try_ = last_came_ = now;
  tried_now_ = 0;
  last_line_.clear();
  last_reason_.clear();
}

std::optional<ProbeWatch::Answer> ProbeWatch::take(std::string_view line, Clock::time_point now) {
  last_came_ = now;
  last_line_ = terminal_safe(line);
  // "2026-11-21T18:00:06Z try udp-port 203.0.113.10:443 seq=1795284000001042"
  const std::vector<std::string_view> words = split(line, ' ');
  if (words.size() < 2) return std::nullopt;
  if (words[1] == "try") {
    ++tried_;
    ++tried_now_;
    last_try_ = now;
    return std::nullopt;
  }
  if (words[1] == "skip" || words[1] == "silent") last_reason_ = last_line_;
  if (words[1] != "reply" || words.size() < 4) return std::nullopt;
  ++answered_;
  Answer answer{terminal_safe(words[2]), terminal_safe(words[3]), last_line_};
  if (told_.size() >= kMostTold) {
    std::erase_if(told_, [&](const auto& one) { return now - one.second >= kTellAgain; });
    if (told_.size() >= kMostTold) return std::nullopt;
  }
  const auto [at, fresh] = told_.try_emplace(answer.method + ' ' + answer.destination, now);
  if (!fresh && now - at->second < kTellAgain) return std::nullopt;
  at->second = now;
  return answer;
}

Health ProbeWatch::attempts(Clock::time_point now) const {
  Health part;
  part.name = "attempts";
  const auto silent = std::chrono::floor<std::chrono::seconds>(now - last_try_);
  if (silent <= patience_) {
    part.state = tried_now_ > 0 ? HealthState::healthy : HealthState::unknown;
    part.evidence = tried_now_ > 0
                        ? with_thousands(tried_now_) + " attempts since its start, the last " +
                              to_words(silent) + " ago"
                        : "no attempt yet; started " + to_words(silent) + " ago, and " +
                              to_words(patience_) + " may pass";
    if (tried_now_ == 0) part.cause = "no attempt yet";
    if (tried_now_ == 0 && !last_reason_.empty()) part.evidence += "; last: " + last_reason_;
    return part;
  }
  part.state = HealthState::failed;
  if (now - last_came_ <= patience_) {
    // It lives, and says why it does nothing.
    part.cause = "nothing is tried";
    part.evidence = "no attempt for " + to_words(silent) +
                    "; last line: " + (last_reason_.empty() ? last_line_ : last_reason_);
    part.fix =
        "give the probe an address: DHCP on its segment, or 'addresses' and 'gateways' in its "
        "configuration";
  } else {
    part.cause = "no line for " + to_words(std::chrono::floor<std::chrono::seconds>(patience_));
    part.evidence = last_line_.empty() ? "it has written nothing since its start"
                                       : "its last line was: " + last_line_;
    part.fix = "look at the instrument's log; restart it";
  }
  return part;
}

}  // namespace beaconry
