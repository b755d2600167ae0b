#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace beaconry {

// "bytes 0-1048575/9437184" of a 206 (RFC 9110, section 14.4). Nothing: it is no such header, or
// says what cannot be.
struct ImageRange {
  std::uint64_t first = 0, last = 0, total = 0;
};
std::optional<ImageRange> parse_content_range(std::string_view header);

}  // namespace beaconry
