#include "hunt/hunt_report.h"

namespace beaconry {

void HuntReport::take(const ReadReport& read) {
  inputs_read = read.inputs_read();
  records = read.records();
  packets = read.packets();
  bytes = read.bytes();
  refusals = read.refusals();
  failed_inputs = read.failed_inputs();
}

bool shown_by_default(const ScoredPair& pair) {
  const bool decided = pair.hidden == Hidden::allow_listed || pair.hidden == Hidden::triaged ||
                       pair.hidden == Hidden::baseline;
  return pair.hidden == Hidden::no || (pair.change == Change::gone && !decided);
}

Listed listed(const HuntReport& report) {
  Listed result;
  for (const ScoredPair& pair : report.pairs) {
    if (!report.all && !shown_by_default(pair)) continue;
    if (report.limit != 0 && result.pairs.size() >= report.limit) {
      ++result.left_out;
    } else {
      result.pairs.push_back(&pair);
    }
  }
  return result;
}

Totals totals(const HuntReport& report) {
  Totals sum;
  for (const ScoredPair& pair : report.pairs) {
    if (pair.change == Change::gone && pair.absent) continue;  // the earlier report's, not ours
    ++sum.scored;
    if (pair.hidden != Hidden::no) {
      ++sum.hidden[static_cast<std::size_t>(pair.hidden)];
    } else if (pair.verdict.is_beacon) {
      ++sum.beacons;
      ++sum.beacons_by[static_cast<std::size_t>(pair.verdict.confidence)];
    }
  }
  for (const ReadReport::Refusal& refusal : report.refusals)
    sum.refused += refusal.count;
  return sum;
}

}  // namespace beaconry
