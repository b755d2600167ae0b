// A manifest of somebody's image, and its own configuration held against its own schema.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "image/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto manifest = Manifest::parse(text, "manifest.yaml");
  if (!manifest) return 0;
  const std::string json = manifest->to_json();
  const auto again = Manifest::parse(json, "json");
  require(again.has_value());
  require(again->to_json() == json);
  require(widened(*manifest, *again).empty());
  require(permission_digest(*again) == permission_digest(*manifest));
  return 0;
}
