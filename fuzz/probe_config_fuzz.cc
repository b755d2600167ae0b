// Whatever the bytes: a probe's configuration or an error that names the file; and what is accepted
// says the same again as a line.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "escape/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = ProbeConfig::parse(text, "fuzz.yaml");
  if (!config) {
    if (config.error().message().find("fuzz.yaml") == std::string::npos) std::abort();
    return 0;
  }
  const auto again = ProbeConfig::parse(config->to_line(), "line");
  if (!again || !(*again == *config)) std::abort();
  return 0;
}
