// What homes send: a batch's content as it is, and inside its compression, which random bytes would
// hardly get through.
#include <zstd.h>

#include <cstdint>
#include <cstdlib>

#include "uplink/observation_batch.h"

namespace beaconry {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void decode(std::string_view content) {
  ObservationBatchLimits limits;
  limits.most_bytes = 1 << 20;
  limits.most_observations = 1000;
  const auto got = decode_observations(content, limits);
  if (!got) return;
  require(got->observations.size() <= limits.most_observations);
  for (const Observation& seen : got->observations) {
    require(seen.received >= kEarliest && seen.received <= kLatest);
    require(seen.raw.size() <= Observation::kMostRaw && !seen.receiver.empty());
  }
  const auto again = decode_observations(encode_observations(*got), {});
  require(again && again->observations.size() == got->observations.size());
  require(again->counters.size() == got->counters.size());
}

}  // namespace
}  // namespace beaconry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  decode(bytes);
  std::string packed(ZSTD_compressBound(size), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), data, size, 1));
  decode(packed);
  return 0;
}
