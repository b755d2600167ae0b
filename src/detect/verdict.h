#pragma once
#include <absl/container/inlined_vector.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace beaconry {

// The severity ladder. `none` is below the alert threshold of `low`'s meaning: nothing to see.
enum class Confidence : std::uint8_t { none, low, medium, high, critical };
std::string_view to_string(Confidence confidence);  // "none" ... "critical"

// One number in 0..1 that the series gave, and what it adds to the combined score.
struct SignalValue {
  std::string_view name;  // "cv", "periodicity", "jitter", "size"
  double score = 0;       // 0..1
  double weight = 0;
  double contribution = 0;  // score * weight
  double raw_value = 0;     // the measured quantity, in the unit that docs/detection.md gives
  double threshold = 0;     // what raw_value is held against
};

// What context or a further signal adds to or takes from the combined score, and why.
struct Adjustment {
  std::string_view name;  // "prevalence", "fan_out", "known_service", "internal", "bounds", ...
  double contribution = 0;
  std::string reason;  // "9 of 40 hosts use it"
};

// The sleep loop that explains the intervals best.
enum class SleepModel : std::uint8_t {
  none,          // no model fits
  fixed,         // one interval, no jitter
  shorten,       // uniform in [s(1-j), s]: Cobalt Strike
  lengthen,      // uniform in [s, s+J]: Sliver
  around,        // uniform in [s(1-j), s(1+j)]: Empire, PoshC2, Havoc
  alternating,   // two intervals in turn: njRAT
  mixture,       // two or more rhythms in one pair
  clock_locked,  // a schedule: the phase does not drift
};
std::string_view to_string(SleepModel model);

// Fewer intervals show that a sleep is bounded, but not by whose rule: no framework is named.
constexpr std::uint32_t kLeastToName = 20;

struct Rhythm {
  SleepModel model = SleepModel::none;
  double sleep_seconds = 0;         // the model's sleep; 0 where there is none
  double jitter_percent = 0;        // the model's jitter
  double second_sleep_seconds = 0;  // of `alternating` and `mixture`
  double missing_share = 0;         // of the check-ins that the rhythm expects, 0..1
  double coherence = 0;             // 0..1: phase agreement over the whole series
  std::uint32_t episodes = 0;       // stints of activity
  double active_seconds = 0;        // in all episodes
  std::string description;          // "sleep 60.0s, jitter 20 %, Cobalt-Strike-like"
  std::uint32_t intervals = 0;      // that the model was fitted to
};

// The commonest size of a direction.
struct SizeMode {
  std::uint64_t bytes = 0;
  double share = 0;  // of the check-ins whose size is known
  std::uint32_t known = 0;
};

// What the detector says of a series and why. The score is a rank, not a probability.
// Invariant: the contributions of signals and adjustments sum to combined_score.
struct Verdict {
  double combined_score = 0;  // 0..1
  bool is_beacon = false;
  Confidence confidence = Confidence::none;
  absl::InlinedVector<SignalValue, 4> signals;  // cv, periodicity, jitter, size
  absl::InlinedVector<Adjustment, 3> adjustments;
  double interval_seconds = 0;  // detected interval; 0 where there is none
  double jitter_percent = 0;    // spread around it
  double interval_mean = 0, interval_deviation = 0, interval_median = 0;
  double interval_least = 0, interval_most = 0;  // all in seconds
  Rhythm rhythm;
  SizeMode size_out, size_in;
  std::string summary;  // "bounded sleep, one host only, 420-byte check-ins"
};

}  // namespace beaconry
