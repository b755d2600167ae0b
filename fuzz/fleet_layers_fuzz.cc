#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "fleet/layers.h"
#include "fleet/selector.h"

// The first line is the selector, the rest two layers with a line between them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::size_t first = text.find('\n');
  if (first == std::string::npos) return 0;
  if (const auto selector = beaconry::Selector::parse(text.substr(0, first))) {
    (void)selector->matches({{"site", "oulu"}});
    const auto again = beaconry::Selector::parse(selector->to_string());
    if (!again || again->to_string() != selector->to_string()) std::abort();
  }
  const std::size_t second = text.find('\n', first + 1);
  if (second == std::string::npos) return 0;
  const auto merged = beaconry::merge_layers(
      {{"fleet", text.substr(first + 1, second - first - 1)}, {"sensor", text.substr(second + 1)}});
  if (!merged) return 0;
  // What was merged is a layer that changes nothing.
  const auto again = beaconry::merge_layers({{"fleet", merged->json}});
  if (!again || again->json != merged->json) std::abort();
  return 0;
}
