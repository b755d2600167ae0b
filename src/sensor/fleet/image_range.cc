#include "sensor/fleet/image_range.h"

#include "base/text.h"

namespace beaconry {

std::optional<ImageRange> parse_content_range(std::string_view header) {
  constexpr std::string_view kUnit = "bytes ";
  if (!header.starts_with(kUnit)) return {};
  header.remove_prefix(kUnit.size());
  const auto dash = header.find('-'), slash = header.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) return {};
  const auto first = parse_unsigned(header.substr(0, dash));
  const auto last = parse_unsigned(header.substr(dash + 1, slash - dash - 1));
  const auto total = parse_unsigned(header.substr(slash + 1));
  if (!first || !last || !total || *first > *last || *last >= *total) return {};
  return ImageRange{*first, *last, *total};
}

}  // namespace beaconry
