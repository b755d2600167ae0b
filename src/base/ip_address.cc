#include "base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace beaconry {
namespace {

constexpr std::size_t kMappedPrefix = 12;

std::optional<std::uint32_t> parse_v4_plainly(std::string_view text) {
  std::uint32_t value = 0;
  unsigned part = 0, digits = 0, dots = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      part = part * 10 + static_cast<unsigned>(c - '0');
      if (++digits > 3 || part > 255) return std::nullopt;
    } else if (c == '.' && digits > 0 && dots < 3) {
      value = value << 8 | part;
      part = digits = 0;
      ++dots;
    } else {
      return std::nullopt;
    }
  }
  if (dots != 3 || digits == 0) return std::nullopt;
  return value << 8 | part;
}

// Dotted quads are most of every log, so they are read without inet_pton and, where the machine
// can, without a branch for each character: where the dots stand is unpredictable.
std::optional<std::uint32_t> parse_v4(std::string_view text) {
#if defined(__SSE2__)
  const std::size_t size = text.size();
  if (size < 8 || size > 15) return parse_v4_plainly(text);
  std::uint64_t low, high;  // two loads that overlap stay within the text
  std::memcpy(&low, text.data(), 8);
  std::memcpy(&high, text.data() + size - 8, 8);
  high = high >> (8 * (15 - size)) >> 8;  // what `low` does not have; nothing of 8 bytes
  const __m128i raw =
      _mm_set_epi64x(static_cast<std::int64_t>(high), static_cast<std::int64_t>(low));
  const __m128i values = _mm_sub_epi8(raw, _mm_set1_epi8('0'));
  const auto mask = [](__m128i matches) {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(matches));
  };
  const std::uint32_t dots = mask(_mm_cmpeq_epi8(raw, _mm_set1_epi8('.')));
  const std::uint32_t digits = mask(_mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values));
  if (((dots | digits) & ((1U << size) - 1)) != (1U << size) - 1) return std::nullopt;
  const std::uint32_t second = dots & (dots - 1), third = second & (second - 1);
  if (third == 0 || (third & (third - 1)) != 0) return std::nullopt;  // not three dots
  // A valid address has its last part from byte 12 on at the latest, so that each part is loaded
  // from within the one store, which the processor forwards without waiting.
  std::array<std::uint8_t, 20> bytes;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes.data()), values);
  const unsigned ends[] = {
      static_cast<unsigned>(__builtin_ctz(dots)), static_cast<unsigned>(__builtin_ctz(second)),
      static_cast<unsigned>(__builtin_ctz(third)), static_cast<unsigned>(size)};
  std::uint32_t value = 0, wrong = 0;
  unsigned begin = 0;
  for (const unsigned end : ends) {
    const unsigned length = end - begin;
    wrong |= static_cast<std::uint32_t>(length - 1 > 2);
    std::uint32_t digit;
    std::memcpy(&digit, bytes.data() + std::min(begin, 12U), 4);
    digit <<= 8 * ((4 - length) & 3);  // the last one on top, zeros below the first
    const std::uint32_t part =
        (digit >> 24) + 10 * (digit >> 16 & 0xff) + 100 * (digit >> 8 & 0xff);
    wrong |= static_cast<std::uint32_t>(part > 255);
    value = value << 8 | (part & 0xff);
    begin = end + 1;
  }
  if (wrong != 0) return std::nullopt;
  return value;
#else
  return parse_v4_plainly(text);
#endif
}

}  // namespace

IpAddress IpAddress::v4(std::uint32_t host_order) {
  const std::uint32_t network_order = htonl(host_order);
  std::uint8_t raw[4];
  std::memcpy(raw, &network_order, sizeof raw);
  return v4_bytes(raw);
}

IpAddress IpAddress::v4_bytes(const std::uint8_t* network_order) {
  IpAddress a;
  a.bytes_[10] = a.bytes_[11] = 0xff;
  std::memcpy(a.bytes_.data() + kMappedPrefix, network_order, 4);
  return a;
}

IpAddress IpAddress::v6_bytes(const std::uint8_t* network_order) {
  IpAddress a;
  std::memcpy(a.bytes_.data(), network_order, 16);
  return a;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (const auto value = parse_v4(text)) return v4(*value);
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof copy || text.find(':') == std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), copy);
  copy[text.size()] = '\0';
  std::uint8_t raw[16];
  if (inet_pton(AF_INET6, copy, raw) != 1) return std::nullopt;
  return v6_bytes(raw);
}

bool IpAddress::is_v4() const {
  return high() == 0 && bytes_[8] == 0 && bytes_[9] == 0 && bytes_[10] == 0xff &&
         bytes_[11] == 0xff;
}

std::uint32_t IpAddress::v4_value() const {
  return static_cast<std::uint32_t>(bytes_[12]) << 24 |
         static_cast<std::uint32_t>(bytes_[13]) << 16 |
         static_cast<std::uint32_t>(bytes_[14]) << 8 | bytes_[15];
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[12] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::is_broadcast() const {
  return is_v4() && v4_value() == 0xffffffffU;
}

bool IpAddress::is_unspecified() const {
  return is_v4() ? v4_value() == 0 : (high() == 0 && low() == 0);
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  return high() == 0 && bytes_[15] == 1 &&
         std::all_of(bytes_.begin() + 8, bytes_.begin() + 15, [](auto b) { return b == 0; });
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[12] == 169 && bytes_[13] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

IpAddress IpAddress::masked(unsigned bits) const {
  IpAddress result = *this;
  for (std::size_t at = 0; at < 16; ++at) {
    const unsigned before = static_cast<unsigned>(at) * 8;
    if (bits >= before + 8) continue;
    const unsigned kept = bits > before ? bits - before : 0;
    result.bytes_[at] = static_cast<std::uint8_t>(result.bytes_[at] & (0xff00U >> kept));
  }
  return result;
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  if (is_v4()) {  // by hand: inet_ntop prints, and reports hold many addresses
    std::size_t length = 0;
    for (std::size_t i = kMappedPrefix; i < bytes_.size(); ++i) {
      const unsigned value = bytes_[i];
      if (i != kMappedPrefix) text[length++] = '.';
      if (value >= 100) text[length++] = static_cast<char>('0' + value / 100);
      if (value >= 10) text[length++] = static_cast<char>('0' + value / 10 % 10);
      text[length++] = static_cast<char>('0' + value % 10);
    }
    return {text, length};
  }
  inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
  return text;
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned most = address->is_v4() ? 32 : 128;
  unsigned length = most;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size() || length > most) {
      return std::nullopt;
    }
  }
  return Cidr(*address, length);
}

Cidr::Cidr(const IpAddress& network, unsigned prefix_length)
    : bits_(prefix_length + (network.is_v4() ? 96 : 0)) {
  network_ = network.masked(bits_);
}

bool Cidr::contains(const IpAddress& address) const {
  if (address.is_v4() != network_.is_v4()) return false;
  const auto& a = network_.bytes();
  const auto& b = address.bytes();
  const std::size_t whole = bits_ / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  const unsigned rest = bits_ % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) & (0xff00U >> rest) & 0xff) == 0;
}

std::string Cidr::to_string() const {
  const unsigned length = network_.is_v4() && bits_ >= 96 ? bits_ - 96 : bits_;
  return network_.to_string() + '/' + std::to_string(length);
}

}  // namespace beaconry
