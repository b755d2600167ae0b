#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "source/simulate/random.h"

namespace beaconry::simulate {

// How an implant, or any program, waits before its next visit. With s the sleep and j the jitter:
enum class SleepKind {
  fixed,          // s
  cobalt_strike,  // uniform in [s(1-j), s]
  sliver,         // s + uniform in [0, s*j)
  havoc,          // s plus or minus uniform (0, s*j)
  around,         // uniform in [s(1-j), s(1+j)]: Empire, PoshC2
  alternating,    // njRAT: 9/11.5 s and 14/11.5 s in turn
  flat,           // the DNS implant: uniform in [s(1-j), s(1+j)], j = 45 % gives 3-8 s of 5.5 s
  clock_locked,   // cron: at whole multiples of s, at most a second late; the phase never drifts
};

struct SleepModel {
  SleepKind kind = SleepKind::fixed;
  double sleep_seconds = 60;
  double jitter = 0;  // 0..1

  // The least and the greatest interval in seconds that the model can give.
  std::pair<double, double> bounds() const;
};

std::string_view to_string(SleepKind kind);  // "cobalt-strike"
// Knows the frameworks' names, too: empire, poshc2, njrat, dns, cron.
std::optional<SleepKind> parse_sleep_kind(std::string_view text);

// One running sleep loop.
class Sleeper {
 public:
  Sleeper(SleepModel model, Random random) : model_(model), random_(random) {}

  // When it wakes, having gone to sleep at `now`; later than `now` by at least a millisecond.
  Timestamp wake(Timestamp now);

 private:
  double interval();

  SleepModel model_;
  Random random_;
  bool long_turn_ = false;
};

Duration from_seconds(double seconds);  // rounded to a microsecond

}  // namespace beaconry::simulate
