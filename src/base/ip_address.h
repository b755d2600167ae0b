#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace beaconry {

// An IPv4 or IPv6 address: 16 bytes in network order, IPv4 mapped as ::ffff:a.b.c.d, so that both
// compare, hash and store alike.
class IpAddress {
 public:
  constexpr IpAddress() = default;
  static IpAddress v4(std::uint32_t host_order);
  static IpAddress v4_bytes(const std::uint8_t* network_order);
  static IpAddress v6_bytes(const std::uint8_t* network_order);

  // Dotted quad or any RFC 4291 text form; brackets and a %zone are not accepted.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const;
  std::uint32_t v4_value() const;  // REQUIRES is_v4(); host order
  bool is_multicast() const;
  bool is_broadcast() const;  // 255.255.255.255
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_link_local() const;
  std::string to_string() const;          // RFC 5952
  IpAddress masked(unsigned bits) const;  // all but the first `bits` of its 128 cleared

  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  std::uint64_t high() const { return word(0); }  // the raw halves, for hashing
  std::uint64_t low() const { return word(8); }

  friend bool operator==(const IpAddress& a, const IpAddress& b) {  // words, not memcmp
    return a.high() == b.high() && a.low() == b.low();
  }
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
  template <class H>
  friend H AbslHashValue(H h, const IpAddress& a) {
    return H::combine(std::move(h), a.high(), a.low());
  }

 private:
  std::uint64_t word(std::size_t at) const {
    std::uint64_t value;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }

  std::array<std::uint8_t, 16> bytes_{};
};

// A block of addresses, "10.0.0.0/8", "fc00::/7"; a bare address is its /32 or /128. An IPv4
// address is in IPv4 blocks only: "::/0" holds every IPv6 address.
class Cidr {
 public:
  static std::optional<Cidr> parse(std::string_view text);
  Cidr(const IpAddress& network, unsigned prefix_length);  // IPv4: 0..32, IPv6: 0..128

  bool contains(const IpAddress& address) const;
  const IpAddress& network() const { return network_; }  // its first address
  unsigned bits() const { return bits_; }                // fixed, of an address's 128
  std::string to_string() const;
  friend bool operator==(const Cidr&, const Cidr&) = default;

 private:
  IpAddress network_;
  unsigned bits_ = 0;  // over the 128-bit mapped form
};

}  // namespace beaconry
