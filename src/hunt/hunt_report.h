#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "hunt/scored_pair.h"
#include "source/read_report.h"

namespace beaconry {

// Something that is only counted, in words that complete "1,204 ...".
struct Counted {
  std::string what;
  std::uint64_t count = 0;
};

// What an earlier report was held against this one, and what came of it.
struct Comparison {
  std::string path;            // of the earlier report
  std::string made;            // when that was written, RFC 3339; may be empty
  std::uint64_t unlisted = 0;  // pairs that the earlier report left out by its limit
  std::uint64_t fresh = 0, changed = 0, gone = 0;
};

// Everything that a hunt found, as the outputs need it. A value: whoever fills it owns it; the
// outputs only read. Its texts come from inputs and are raw: each output escapes them its own way.
struct HuntReport {
  std::string version;  // of the program
  Timestamp made{};     // when the hunt ran
  double took_seconds = 0;

  std::vector<ScoredPair> pairs;  // every scored pair, hidden ones too, in rank order
  std::uint64_t pairs_seen = 0;   // named pairs aside
  std::vector<Counted> unscored;  // pairs seen but not scored: "with fewer than 10 check-ins"
  double threshold = 0.7;         // from here on a pair is a beacon

  bool all = false;       // list hidden pairs too
  std::size_t limit = 0;  // list no more than this; 0: no limit

  std::vector<std::string> inputs;  // as the user named them
  std::uint64_t inputs_read = 0, records = 0, packets = 0, bytes = 0;
  std::optional<Timestamp> first_time, last_time;                  // of the data
  std::vector<ReadReport::Refusal> refusals;                       // commonest first
  std::vector<std::pair<std::string, std::string>> failed_inputs;  // path, reason
  std::vector<Counted> drops;        // read but not kept: "pairs evicted to stay within memory"
  std::vector<std::string> remarks;  // what else the reader must know, one sentence each

  std::optional<Comparison> compared;

  // The check-ins of one of `pairs`, in time order, for pictures. May be empty.
  std::function<CheckIns(const ScoredPair&)> check_ins;

  void take(const ReadReport& read);  // copies what was read, refused and failed
};

// The pairs that an output shows, in rank order, cut to the limit: those that nothing hides and
// those that are gone; with `all` every one.
struct Listed {
  std::vector<const ScoredPair*> pairs;
  std::size_t left_out = 0;  // by the limit
};
Listed listed(const HuntReport& report);

// Is it shown without --all?
bool shown_by_default(const ScoredPair& pair);

struct Totals {
  std::uint64_t scored = 0;
  std::uint64_t beacons = 0;                           // shown ones: hidden ones count below
  std::array<std::uint64_t, 5> beacons_by{};           // by Confidence
  std::array<std::uint64_t, kHiddenReasons> hidden{};  // by Hidden; [no] is unused
  std::uint64_t refused = 0;                           // lines, packets and records
};
Totals totals(const HuntReport& report);

}  // namespace beaconry
