#include "hunt/beacon_watch.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

namespace beaconry {
namespace {

constexpr double kLongestTwice = 2;  // longer than it has ever been silent, and as much again

std::string two_digits(double score) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", score);
  return text;
}

Duration seconds(double value) {
  return Duration{static_cast<std::int64_t>(value * 1e6)};
}

std::string_view words_of(Triaged triage) {
  return triage == Triaged::benign ? "marked benign" : "acknowledged";
}

std::vector<std::string> texts_of(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses)
    texts.push_back(address.to_string());
  std::sort(texts.begin(), texts.end());
  return texts;
}

bool is_shown_beacon(const ScoredPair& pair) {
  return pair.verdict.is_beacon && pair.hidden == Hidden::no;
}

// Why a pair is not what was triaged any more; empty: it is.
std::string changed_since_triage(const BeaconState& state, const WatchSettings& settings) {
  const double before = state.triaged_interval_seconds, after = state.interval_seconds;
  if (before > 0 && after > 0 &&
      (after > before * (1 + settings.changed_share) ||
       before > after * (1 + settings.changed_share))) {
    return "its interval changed from " + to_words(seconds(before)) + " to " +
           to_words(seconds(after));
  }
  for (const std::string& destination : state.destinations) {
    if (std::find(state.triaged_destinations.begin(), state.triaged_destinations.end(),
                  destination) == state.triaged_destinations.end()) {
      return "it has a new destination, " + destination;
    }
  }
  return {};
}

class Watch {
 public:
  Watch(Timestamp now, const WatchSettings& settings) : now_(now), settings_(settings) {}

  void beacon(const ScoredPair& pair, bool first, BeaconState& state) {
    const Timestamp before = state.last_seen;
    if (state.found == Timestamp{}) state.found = now_;
    state.is_beacon = true;
    state.gone = false;
    state.interval_seconds = pair.verdict.interval_seconds;
    state.longest_interval_seconds = pair.verdict.interval_most;
    state.destinations = texts_of(pair.destinations);
    state.last_beacon = now_;
    take(pair, state);
    if (first) {
      alerted(state);
      digest_.push_back(&pair);
    } else if (state.triage != Triaged::none) {
      triaged(pair, state);
    } else if (state.last_alert == Timestamp{}) {
      alert(DecisionKind::fresh, pair, state, "a new beacon, score " + two_digits(state.score));
    } else if (now_ - state.last_alert >= settings_.alert_cooldown) {
      // What was worse meanwhile is still worse than what the last alert said.
      again(pair, state, before);
    }
  }

  // Listed, but not a beacon that is shown. Its rhythm while it was one stays: that tells how long
  // a silence means something.
  void other(const ScoredPair& pair, BeaconState& state) {
    state.is_beacon = false;
    take(pair, state);
  }

  void silent_until(Timestamp heard_until, const ScoredPair* pair, BeaconState& state) {
    if (state.found == Timestamp{} || state.interval_seconds <= 0) return;
    if (state.gone) {
      if (state.triage == Triaged::none && now_ - state.last_seen > settings_.forget_after) {
        result_.forgotten.push_back(state.identity);
      }
      return;
    }
    const Duration silence = heard_until - state.last_seen;
    if (to_seconds(silence) <= std::max(settings_.gone_after_intervals * state.interval_seconds,
                                        kLongestTwice * state.longest_interval_seconds)) {
      return;
    }
    state.gone = true;
    state.is_beacon = false;
    changed_.insert(state.identity);
    if (state.triage != Triaged::none || state.gone_alerted || state.last_alert == Timestamp{}) {
      return;
    }
    alerted(state);
    state.gone_alerted = true;
    result_.decisions.push_back({DecisionKind::gone,
                                 state.identity,
                                 pair,
                                 {},
                                 "its last check-in was at " + to_rfc3339(state.last_seen) + ", " +
                                     to_words(silence) + " ago; its interval was " +
                                     to_words(seconds(state.interval_seconds))});
  }

  void last_check_in(Timestamp time, BeaconState& state) {
    if (time <= state.last_seen) return;
    state.last_seen = time;
    changed_.insert(state.identity);
  }

  void digest() {
    if (digest_.empty()) return;
    std::string reason = "the first analysis found " + std::to_string(digest_.size()) +
                         (digest_.size() == 1 ? " beacon" : " beacons");
    result_.decisions.push_back(
        {DecisionKind::digest, {}, nullptr, std::move(digest_), std::move(reason)});
  }

  WatchResult result() {
    result_.changed.assign(changed_.begin(), changed_.end());
    return std::move(result_);
  }

 private:
  // What every listed pair says of itself.
  void take(const ScoredPair& pair, BeaconState& state) {
    state.score = pair.verdict.combined_score;
    state.severity = pair.verdict.confidence;
    state.last_seen = std::max(state.last_seen, pair.last_seen);
    changed_.insert(state.identity);
  }

  void triaged(const ScoredPair& pair, BeaconState& state) {
    std::string reason = changed_since_triage(state, settings_);
    if (reason.empty() && now_ < state.triaged_until) return;
    if (reason.empty()) reason = "the time for which it was to be quiet is over";
    const std::string words(words_of(state.triage));
    state.triage = Triaged::none;
    alert(DecisionKind::reopened, pair, state, "it was " + words + ", but " + reason);
  }

  void again(const ScoredPair& pair, BeaconState& state, Timestamp before) {
    if (state.gone_alerted) {
      alert(DecisionKind::fresh, pair, state,
            "a beacon again, after its check-ins had stopped at " + to_rfc3339(before));
    } else if (state.severity > state.alerted_severity) {
      alert(DecisionKind::worse, pair, state,
            "severity up from " + std::string(to_string(state.alerted_severity)) + " to " +
                std::string(to_string(state.severity)));
    } else if (state.score > state.alerted_score + settings_.worse_by) {
      alert(DecisionKind::worse, pair, state,
            "score up from " + two_digits(state.alerted_score) + " to " + two_digits(state.score));
    }
  }

  void alerted(BeaconState& state) {
    state.last_alert = now_;
    state.alerted_score = state.score;
    state.alerted_severity = state.severity;
    state.gone_alerted = false;
  }

  void alert(DecisionKind kind, const ScoredPair& pair, BeaconState& state, std::string reason) {
    alerted(state);
    result_.decisions.push_back({kind, state.identity, &pair, {}, std::move(reason)});
  }

  Timestamp now_;
  const WatchSettings& settings_;
  std::vector<const ScoredPair*> digest_;
  std::set<std::string> changed_;
  WatchResult result_;
};

}  // namespace

std::string_view to_string(DecisionKind kind) {
  switch (kind) {
    case DecisionKind::fresh:
      return "new";
    case DecisionKind::worse:
      return "worse";
    case DecisionKind::gone:
      return "gone";
    case DecisionKind::digest:
      return "digest";
    case DecisionKind::reopened:
      return "reopened";
  }
  return {};
}

void BeaconState::decide(Triaged how, Timestamp until) {
  triage = how;
  triaged_until = until;
  triaged_interval_seconds = interval_seconds;
  triaged_destinations = destinations;
}

WatchResult watch(const LiveAnalysis& analysis, Timestamp now, Timestamp heard_until, bool first,
                  const std::function<std::optional<Timestamp>(std::string_view)>& last_check_in,
                  const WatchSettings& settings, BeaconStates& states) {
  Watch watch(now, settings);
  std::map<std::string, const ScoredPair*, std::less<>> listed;
  for (const ScoredPair& pair : analysis.pairs) {
    const std::string identity = pair.identity();
    const auto known = states.find(identity);
    if (is_shown_beacon(pair)) {
      BeaconState& state = states[identity];
      state.identity = identity;
      watch.beacon(pair, first, state);
    } else if (known != states.end()) {
      watch.other(pair, known->second);
    }
    listed.emplace(identity, &pair);
  }
  watch.digest();
  for (auto& [identity, state] : states) {
    const auto found = listed.find(identity);
    if (found == listed.end() && !state.gone) {
      state.is_beacon = false;
      if (const auto time = last_check_in(identity)) watch.last_check_in(*time, state);
    }
    watch.silent_until(heard_until, found == listed.end() ? nullptr : found->second, state);
  }
  WatchResult result = watch.result();
  for (const std::string& identity : result.forgotten)
    states.erase(identity);
  return result;
}

}  // namespace beaconry
