// Whatever the bytes: a configuration or an error that names the file, in bounded time.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "hunt/hunt_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const auto config =
      HuntConfig::parse(std::string(reinterpret_cast<const char*>(data), size), "fuzz.yaml");
  if (!config) {
    if (config.error().message().find("fuzz.yaml") == std::string::npos) std::abort();
    return 0;
  }
  if (!check(config->detection)) std::abort();  // what is accepted is usable
  return 0;
}
