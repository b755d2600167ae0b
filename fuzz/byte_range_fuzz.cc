// Range headers of whoever fetches a file: what is given lies in the file.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "control/byte_range.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  if (size == 0) return 0;
  const std::string_view header(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::uint64_t total = data[0];
  const ByteRange range = parse_range(header, total);
  if (range.first > total || range.bytes > total - range.first) std::abort();
  if (range.kind == ByteRange::Kind::part && range.bytes == 0) std::abort();
  return 0;
}
