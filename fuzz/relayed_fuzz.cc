// What sensors relay: a batch's content as it is and inside its compression, and the envelope that
// an instrument put into it.
#include <zstd.h>

#include <cstdint>
#include <cstdlib>

#include "uplink/flow_batch.h"
#include "uplink/relayed_batch.h"

namespace beaconry {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void decode(std::string_view content) {
  const auto got = decode_relayed(content, 1 << 20);
  if (!got) return;
  require(!got->instance.empty() && !got->envelope.empty());
  const auto again = decode_relayed(encode_relayed(*got), 1 << 20);
  require(again && again->envelope == got->envelope && again->taken == got->taken);
  const auto inner = decode_envelope(got->envelope);
  if (inner) require(inner->sequence > 0);
}

}  // namespace
}  // namespace beaconry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  decode(std::string_view(reinterpret_cast<const char*>(data), size));
  std::string packed(ZSTD_compressBound(size), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), data, size, 1));
  decode(packed);
  return 0;
}
