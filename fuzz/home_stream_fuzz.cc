// The first bytes of a TCP connection to home, cut anywhere: what was found stays found.
#include <cstdint>
#include <cstdlib>

#include "home/first_bytes.h"

namespace beaconry {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace
}  // namespace beaconry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const ByteView bytes(data, size);
  const StreamFind whole = read_stream(bytes);
  require(whole.kind != StreamKind::needs_more || size < kMostStream);
  const bool is_found = whole.kind > StreamKind::nothing;
  require(is_found == !whole.sealed.empty() && whole.used <= size);
  require((whole.kind == StreamKind::ping) == (whole.used > 0));
  if (is_found) {
    require(is_sealed_shape(whole.sealed));
    const Answerable answer{whole.sealed, {}};
    require(!stream_answer(whole.kind, answer).empty());
  }
  for (std::size_t part = 0; part < size; part += 1 + size / 8)
    (void)read_stream(bytes.first(part));
  return 0;
}
