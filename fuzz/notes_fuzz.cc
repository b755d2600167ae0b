// Any file may be handed over as --notes: reading it ends in notes or an error with a place, and
// what was read can be matched.
#include <cstddef>
#include <cstdint>
#include <string>

#include "hunt/output/notes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto notes = parse_notes(text, "notes.yaml");
  if (!notes) return notes.error().cause.empty() ? __builtin_trap(), 1 : 0;
  HuntReport report;
  ScoredPair pair;
  pair.key = *PairKey::parse("10.0.0.5->203.0.113.9:443/TCP");
  pair.server_name = "cdn.example.com";
  report.pairs.push_back(pair);
  apply_notes(*notes, Timestamp{}, report);
  return 0;
}
