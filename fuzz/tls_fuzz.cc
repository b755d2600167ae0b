// Bytes as the beginning of a TLS stream. What is found in it must not change with more of it.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "packet/tls_client_hello.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const ByteView stream(data, size);
  std::string scratch, scratch_of_half;
  const FoundName whole = tls_client_hello(stream, scratch);
  const FoundName half = tls_client_hello(stream.first(size / 2), scratch_of_half);
  if (half.status == NameStatus::found &&
      (whole.status != NameStatus::found || whole.name != half.name)) {
    std::abort();
  }
  tls_client_hello_message(stream);
  return 0;
}
