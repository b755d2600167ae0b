#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hunt/live_hunt.h"
#include "hunt/scored_pair.h"

namespace beaconry {

enum class Triaged : std::uint8_t { none, acknowledged, benign };

// What is remembered of a beacon between analyses. Plain, to be stored: whoever keeps it owns it.
struct BeaconState {
  std::string identity;  // ScoredPair::identity()
  bool is_beacon = false;
  bool gone = false;          // was one, and its check-ins stopped
  bool gone_alerted = false;  // ... and the last alert said so
  double score = 0;
  Confidence severity = Confidence::none;
  double interval_seconds = 0;
  double longest_interval_seconds = 0;
  std::vector<std::string> destinations;  // of a named pair
  Timestamp found{};                      // when it was first called a beacon
  Timestamp last_seen{};                  // its last check-in
  Timestamp last_beacon{};                // the last analysis that called it one

  Timestamp last_alert{};  // the epoch: never; and what that alert said:
  double alerted_score = 0;
  Confidence alerted_severity = Confidence::none;

  Triaged triage = Triaged::none;
  Timestamp triaged_until{};  // Timestamp::max(): until it changes
  double triaged_interval_seconds = 0;
  std::vector<std::string> triaged_destinations;

  // A person's decision about it as it is now.
  void decide(Triaged how, Timestamp until);
};
using BeaconStates = std::map<std::string, BeaconState, std::less<>>;

struct WatchSettings {
  Duration alert_cooldown = std::chrono::minutes{5};  // between alerts of one pair
  double worse_by = 0.1;                              // of the score that was alerted
  double changed_share = 0.25;                        // of an interval, and it is another rhythm
  double gone_after_intervals = 5;
  Duration forget_after = std::chrono::hours{24 * 30};  // what is gone and not triaged
};

enum class DecisionKind : std::uint8_t { fresh, worse, gone, digest, reopened };
std::string_view to_string(DecisionKind kind);  // "new", "worse", "gone", "digest", "reopened"

// Something that a person must see.
struct WatchDecision {
  DecisionKind kind = DecisionKind::fresh;
  std::string identity;                  // empty: a digest
  const ScoredPair* pair = nullptr;      // in the analysis; null where it is not listed there
  std::vector<const ScoredPair*> pairs;  // of a digest, best first
  std::string reason;                    // one sentence without a stop
};

struct WatchResult {
  std::vector<WatchDecision> decisions;         // in rank order, then those that are gone
  std::vector<std::string> changed, forgotten;  // identities whose states are to be stored, removed
};

// What an analysis means for people: compares it with the states, decides about alerts and brings
// the states up to date. Pairs that something hides alert nobody. The analysis outlives the result.
//
// `first`: no analysis has been before this one, so that all its beacons are one digest.
// `heard_until`: the traffic up to here has arrived; what has not is not silence. `last_check_in`
// is asked of beacons that the analysis does not list; nothing: no check-in of it is retained.
WatchResult watch(const LiveAnalysis& analysis, Timestamp now, Timestamp heard_until, bool first,
                  const std::function<std::optional<Timestamp>(std::string_view)>& last_check_in,
                  const WatchSettings& settings, BeaconStates& states);

}  // namespace beaconry
