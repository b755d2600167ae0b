// Bytes as an HTTP request. What is found in it must not change with more of it.
#include <cstdint>
#include <cstdlib>

#include "packet/http_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const ByteView bytes(data, size);
  const RequestedHost whole = http_request(bytes), half = http_request(bytes.first(size / 2));
  if (whole.host.status != NameStatus::other && !looks_like_http_request(bytes)) std::abort();
  if (half.host.status == NameStatus::found && whole.host.name != half.host.name) std::abort();
  return 0;
}
