#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ping/observation.h"
#include "uplink/flow_batch.h"

namespace beaconry {

// Observations as the content of an Envelope whose content_kind is `observations`.
// proto/uplink.proto, docs/formats/observation.md.
struct ObservationBatch {
  Timestamp made{};
  std::vector<Observation> observations;
  std::vector<EdgeCounter> counters;  // home's running totals
};
// What is out of range is brought into it: times to kEarliest or kLatest, `raw` and `receiver` cut
// to their most. An observation that is neither authentic nor a token has no ping, whatever it
// says.
std::string encode_observations(const ObservationBatch& batch);
constexpr std::size_t kLongestReceiver = 32;

struct ObservationBatchLimits {
  std::size_t most_bytes = std::size_t{64} << 20;  // decompressed
  std::size_t most_observations = 200'000;
};
// All or nothing: every length, enumerator and time is checked.
Result<ObservationBatch> decode_observations(std::string_view content,
                                             const ObservationBatchLimits& limits);

}  // namespace beaconry
