// Whatever an instrument writes to its console: no escape and no control character comes out of it,
// and no more than was asked for.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sensor/console_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view written(reinterpret_cast<const char*>(data), size);
  for (const std::size_t most : {std::size_t{0}, std::size_t{40}, std::size_t{1} << 20}) {
    const std::string text = beaconry::console_text(written, most);
    if (text.size() > most) std::abort();
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t') std::abort();
    }
  }
  return 0;
}
