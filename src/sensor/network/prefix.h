#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"

namespace beaconry {

// An interface's address with its network's length: 192.0.2.7/24, 2001:db8::7/64. A length that is
// forgotten is refused: taken as /32 it would reach nothing.
struct Prefix {
  IpAddress address;
  std::uint8_t bits = 0;

  static std::optional<Prefix> parse(std::string_view text);
  std::string to_string() const;
  friend bool operator==(const Prefix&, const Prefix&) = default;
};

}  // namespace beaconry
