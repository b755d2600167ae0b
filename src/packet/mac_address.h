#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace beaconry {

// An Ethernet address.
struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  static std::optional<MacAddress> parse(std::string_view text);  // "02:00:5e:10:00:01"
  static constexpr MacAddress broadcast() { return {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}; }
  bool is_broadcast() const { return *this == broadcast(); }
  bool is_group() const { return (bytes[0] & 1) != 0; }  // multicast or broadcast
  std::string to_string() const;

  friend auto operator<=>(const MacAddress&, const MacAddress&) = default;
};

}  // namespace beaconry
