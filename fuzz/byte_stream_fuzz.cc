#include "fuzz_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  constexpr std::size_t kEnough = std::size_t{4} << 20;  // of a bomb
  if (size == 0) return 0;
  const std::string_view stored(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto stream = decompress(std::make_unique<MemoryStream>(stored));
  std::string block(data[0] * std::size_t{257} + 1, '\0'), start;
  for (std::size_t total = 0; total < kEnough;) {
    const auto got = stream->read(block);
    if (!got) {
      if (stream->read(block)) std::abort();  // an error stays
      break;
    }
    if (*got == 0) break;
    total += *got;
    if (start.size() < kSniffBytes) start.append(block, 0, *got);
  }
  sniff(std::string_view(start).substr(0, kSniffBytes), "fuzz.log");
  return 0;
}
