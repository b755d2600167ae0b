#include "fuzz_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return beaconry::fuzz_log(beaconry::InputFormat::eve, data, size);
}
