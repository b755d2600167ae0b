#pragma once
#include <iosfwd>
#include <string>
#include <vector>

#include "base/result.h"
#include "hunt/hunt_report.h"

namespace beaconry {

// The beacons of an earlier run, as far as --since-report needs them.
struct PreviousReport {
  std::string path;
  std::string made;            // RFC 3339, as written there
  std::uint64_t unlisted = 0;  // pairs that its --limit cut off
  std::vector<ScoredPair> beacons;
};

// Reads what write_json() wrote. Foreign bytes: whatever is not such a report, is cut off, or holds
// values that make no sense is an error that names the place. Keeps only the beacons in memory.
Result<PreviousReport> read_previous_report(const std::string& path);
Result<PreviousReport> read_previous_report(std::istream& in, const std::string& path);

// Marks every beacon of `report` that the earlier report does not have (NEW), or has with an
// interval off by more than 20 %, a lower severity, a score lower by more than 0.1, or, of a named
// pair, with none of today's addresses (CHANGED); and what was a beacon then and is none now
// (GONE). Gone pairs that are not in the data are appended as they were, `absent`. Fills
// report.compared.
// What a decision hides is no news: call it first, then apply decisions, then count_changes(),
// which takes the marks off what nobody will see and counts the rest.
void count_changes(HuntReport& report);
void compare_with(const PreviousReport& previous, HuntReport& report);

}  // namespace beaconry
