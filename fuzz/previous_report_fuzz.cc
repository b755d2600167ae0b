// Any file may be handed over as --since-report: reading it ends in beacons whose numbers make
// sense or in an error, and what was read can be compared and shown.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "hunt/output/json.h"
#include "hunt/output/previous.h"
#include "hunt/output/table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  const auto previous = read_previous_report(in, "old.json");
  if (!previous) return previous.error().cause.empty() ? __builtin_trap(), 1 : 0;
  HuntReport report;
  compare_with(*previous, report);
  for (const ScoredPair& pair : report.pairs) {
    if (!std::isfinite(pair.verdict.combined_score)) __builtin_trap();
  }
  table_text(report, {100, true, true});
  std::ostringstream out;
  write_json(report, out);
  return 0;
}
