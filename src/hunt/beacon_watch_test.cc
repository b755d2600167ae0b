#include "hunt/beacon_watch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace beaconry {
namespace {

constexpr Timestamp kStart{std::chrono::seconds{1'700'000'000}};

Timestamp at(double minutes) {
  return kStart + Duration{static_cast<std::int64_t>(minutes * 60e6)};
}

struct Listed {
  double score = 0.75;
  Confidence severity = Confidence::medium;
  double interval = 60;
  std::vector<std::string> destinations = {};  // with any, it is a named pair
  Hidden hidden = Hidden::no;
  double seen = -1;  // minutes; before 0: just now
};

// One pair over a row of analyses; `listed` is nothing where it is in the store but not listed.
struct Step {
  double minute = 0;
  std::optional<Listed> listed;
  std::string kinds;      // expected decisions, separated by spaces
  std::string says = {};  // ... the last one, among other things
  bool first = false;
  Triaged triage = Triaged::none;  // decided after this analysis
  double triaged_until = 0;        // minutes; 0: for ever
};
struct Case {
  std::string name;
  std::vector<Step> steps;
};

LiveAnalysis analysis_of(const Step& step) {
  LiveAnalysis analysis;
  if (!step.listed) return analysis;
  ScoredPair pair;
  pair.key = *PairKey::parse("10.0.0.5->203.0.113.9:443/TCP");
  if (!step.listed->destinations.empty()) {
    pair.kind = PairKind::named;
    pair.server_name = "cdn.evil.tld";
    for (const std::string& d : step.listed->destinations)
      pair.destinations.push_back(*IpAddress::parse(d));
  }
  pair.verdict.combined_score = step.listed->score;
  pair.verdict.is_beacon = step.listed->score >= 0.7;
  pair.verdict.confidence = step.listed->severity;
  pair.verdict.interval_seconds = step.listed->interval;
  pair.verdict.interval_most = step.listed->interval * 1.2;
  pair.hidden = step.listed->hidden;
  pair.last_seen = at(step.listed->seen < 0 ? step.minute : step.listed->seen);
  analysis.pairs.push_back(pair);
  return analysis;
}

class BeaconWatch : public testing::TestWithParam<Case> {};

TEST_P(BeaconWatch, DecidesWhatAPersonMustSee) {
  BeaconStates states;
  Timestamp last_seen{};
  for (const Step& step : GetParam().steps) {
    const LiveAnalysis analysis = analysis_of(step);
    const auto last_check_in = [&](std::string_view) -> std::optional<Timestamp> {
      if (last_seen == Timestamp{}) return std::nullopt;
      return last_seen;
    };
    const Timestamp now = at(step.minute);
    const WatchResult result = watch(analysis, now, now, step.first, last_check_in, {}, states);
    if (step.listed) last_seen = analysis.pairs[0].last_seen;
    std::string kinds, reasons;
    for (const WatchDecision& d : result.decisions) {
      kinds += (kinds.empty() ? "" : " ") + std::string(to_string(d.kind));
      reasons += d.reason + '\n';
    }
    EXPECT_EQ(kinds, step.kinds) << "minute " << step.minute << '\n' << reasons;
    EXPECT_NE(reasons.find(step.says), std::string::npos) << reasons;
    if (step.triage != Triaged::none) {
      ASSERT_EQ(states.size(), 1U);
      states.begin()->second.decide(
          step.triage, step.triaged_until > 0 ? at(step.triaged_until) : Timestamp::max());
    }
  }
}

const Listed kBeacon;
const Listed kWeak{.score = 0.5, .severity = Confidence::low};
const Listed kStronger{.score = 0.79};
const Listed kMuchStronger{.score = 0.9, .severity = Confidence::medium};
const Listed kCritical{.score = 0.8, .severity = Confidence::critical};
const Listed kStopped{.seen = 0};
const Listed kFaster{.interval = 30};
const Listed kNamed{.destinations = {"203.0.113.9"}};
const Listed kNamedElsewhere{.destinations = {"203.0.113.9", "203.0.113.10"}};
const Listed kRepresented{.hidden = Hidden::represented};

const Case kCases[] = {
    {"NewOnce", {{0, kBeacon, "new", "score 0.75"}, {10, kBeacon, ""}, {20, kBeacon, ""}}},
    {"NotABeacon", {{0, kWeak, ""}, {10, kWeak, ""}}},
    {"HiddenAlertsNobody", {{0, kRepresented, ""}}},
    {"ALittleStrongerIsNotWorse", {{0, kBeacon, "new"}, {10, kStronger, ""}}},
    {"MuchStronger", {{0, kBeacon, "new"}, {10, kMuchStronger, "worse", "0.75 to 0.90"}}},
    {"Severity", {{0, kBeacon, "new"}, {10, kCritical, "worse", "medium to critical"}}},
    {"WorseWithinTheCooldownIsSaidAfterIt",
     {{0, kBeacon, "new"}, {2, kCritical, ""}, {6, kCritical, "worse"}, {12, kCritical, ""}}},
    {"Gone",
     {{0, kBeacon, "new"},
      {4, kStopped, ""},
      {6, kStopped, "gone", "2023-11-14T22:13:20.000Z"},
      {9, kStopped, ""}}},
    {"AWeakerScoreIsNotGone", {{0, kBeacon, "new"}, {10, kWeak, ""}, {20, kWeak, ""}}},
    {"GoneFromTheStore", {{0, kBeacon, "new"}, {6, std::nullopt, "gone"}, {12, std::nullopt, ""}}},
    {"Back",
     {{0, kBeacon, "new"},
      {6, kStopped, "gone"},
      {20, kBeacon, "new", "stopped at 2023-11-14T22:13:20.000Z"},
      {30, kBeacon, ""}}},
    {"FirstAnalysisIsADigest",
     {{.minute = 0, .listed = kBeacon, .kinds = "digest", .says = "1 beacon", .first = true},
      {10, kBeacon, ""},
      {20, kCritical, "worse"}}},
    {"BenignIsQuiet",
     {{.minute = 0, .listed = kBeacon, .kinds = "new", .triage = Triaged::benign},
      {10, kCritical, ""},
      {60, kStopped, ""}}},
    {"AcknowledgedUntilThen",
     {{.minute = 0,
       .listed = kBeacon,
       .kinds = "new",
       .triage = Triaged::acknowledged,
       .triaged_until = 30},
      {20, kBeacon, ""},
      {31, kBeacon, "reopened", "was acknowledged"},
      {40, kBeacon, ""}}},
    {"AnotherRhythmReopens",
     {{.minute = 0, .listed = kBeacon, .kinds = "new", .triage = Triaged::benign},
      {1, kFaster, "reopened", "from 60.0s to 30.0s"},
      {10, kFaster, ""}}},
    {"AnotherDestinationReopens",
     {{.minute = 0, .listed = kNamed, .kinds = "new", .triage = Triaged::benign},
      {10, kNamed, ""},
      {20, kNamedElsewhere, "reopened", "new destination, 203.0.113.10"}}},
};
INSTANTIATE_TEST_SUITE_P(Table, BeaconWatch, testing::ValuesIn(kCases),
                         [](const auto& of) { return of.param.name; });

TEST(BeaconWatchStates, WhatHasNotArrivedIsNotSilence) {
  BeaconStates states;
  const auto none = [](std::string_view) { return std::optional<Timestamp>{}; };
  const LiveAnalysis analysis = analysis_of({0, Listed{.seen = 0}, ""});
  watch(analysis, at(0), at(0), false, none, {}, states);
  EXPECT_TRUE(watch(analysis, at(60), at(1), false, none, {}, states).decisions.empty());
  EXPECT_EQ(watch(analysis, at(61), at(61), false, none, {}, states).decisions.size(), 1U);
}

TEST(BeaconWatchStates, WhatIsLongGoneIsForgotten) {
  BeaconStates states;
  const auto none = [](std::string_view) { return std::optional<Timestamp>{}; };
  watch(analysis_of({0, Listed{}, ""}), at(0), at(0), false, none, {}, states);
  watch({}, at(60), at(60), false, none, {}, states);
  ASSERT_EQ(states.size(), 1U);
  const Timestamp later = at(60.0 * 24 * 31);
  EXPECT_EQ(watch({}, later, later, false, none, {}, states).forgotten.size(), 1U);
  EXPECT_TRUE(states.empty());
}

}  // namespace
}  // namespace beaconry
