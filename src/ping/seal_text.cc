// A sealed ping found in bytes of any kind, and its form as text.
#include <algorithm>
#include <cstring>

#include "ping/seal.h"

namespace beaconry {
namespace {

constexpr std::size_t kHead = kPingMagic.size() + 1;
constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";

// A digit's value; kSkip for what may stand between digits, kStop for everything else.
constexpr std::uint8_t kSkip = 0x40, kStop = 0x80;
constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = i >= 1 && i <= kLongestLabel ? kSkip : kStop;  // '-' and '.' are among these
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    const auto digit = static_cast<std::uint8_t>(kDigits[i]);
    values[digit] = static_cast<std::uint8_t>(i);
    if (digit >= 'a') values[digit - 'a' + 'A'] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr auto kValues = make_values();
static_assert(kValues['-'] == kSkip && kValues['.'] == kSkip && kValues['1'] == kStop,
              "a magic cannot stand inside a ping's text, so that no byte is read twice");

// Length byte and what follows, decoded into `out`; `used` is how many bytes the digits took. 0
// where they are no ping's.
std::size_t read_digits(ByteView bytes, std::array<std::uint8_t, kLongestSealed>& out,
                        std::size_t& used) {
  std::uint32_t bits = 0;
  unsigned have = 0;
  std::size_t size = 0, most = 1;
  used = 0;
  for (const std::uint8_t byte : bytes) {
    ++used;
    const std::uint8_t value = kValues[byte];
    if (value == kStop) return 0;
    if (value == kSkip) continue;
    bits = bits << 5 | value;
    have += 5;
    if (have < 8) continue;
    have -= 8;
    out[size++] = static_cast<std::uint8_t>(bits >> have);
    bits &= (1U << have) - 1;
    if (size == 1) {
      most += out[0];
      if (!is_sealed_length(out[0])) return 0;
    }
    if (size == most) return bits == 0 ? size : 0;
  }
  return 0;
}

std::optional<FoundPing> binary_at(ByteView bytes) {
  if (bytes.size() < kHead || !is_sealed_length(bytes[kPingMagic.size()])) return std::nullopt;
  const std::size_t size = kHead + bytes[kPingMagic.size()];
  if (bytes.size() < size) return std::nullopt;
  return FoundPing{Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)), false,
                   size};
}

std::optional<FoundPing> text_at(ByteView bytes) {
  std::array<std::uint8_t, kLongestSealed> decoded;
  std::size_t used = 0;
  const std::size_t size = read_digits(bytes.subspan(kPingTextMagic.size()), decoded, used);
  if (size == 0) return std::nullopt;
  FoundPing found{{}, true, kPingTextMagic.size() + used};
  found.sealed.reserve(kPingMagic.size() + size);
  found.sealed.assign(kPingMagic.begin(), kPingMagic.end());
  found.sealed.insert(found.sealed.end(), decoded.begin(),
                      decoded.begin() + static_cast<std::ptrdiff_t>(size));
  return found;
}

bool is_text_magic(const std::uint8_t* at) {
  return (at[0] | 0x20) == kPingTextMagic[0] && (at[1] | 0x20) == kPingTextMagic[1] &&
         (at[2] | 0x20) == kPingTextMagic[2];
}

}  // namespace

bool is_sealed_shape(ByteView sealed) {
  return sealed.size() > kHead &&
         std::equal(kPingMagic.begin(), kPingMagic.end(), sealed.begin()) &&
         is_sealed_length(sealed[kPingMagic.size()]) &&
         sealed.size() == kHead + sealed[kPingMagic.size()];
}

std::optional<FoundPing> find_ping(ByteView bytes) {
  // Both magics end with the same byte, which memchr finds many bytes at a time.
  static_assert(kPingMagic.back() == kPingTextMagic.back() &&
                kPingMagic.size() == kPingTextMagic.size());
  constexpr std::size_t kBefore = kPingMagic.size() - 1;
  const std::uint8_t* const begin = bytes.data();
  const std::uint8_t* const end = begin + bytes.size();
  if (bytes.size() < kSealedOverhead + kShortestPing) return std::nullopt;
  for (const std::uint8_t* at = begin + kBefore; at < end; ++at) {
    at = static_cast<const std::uint8_t*>(
        std::memchr(at, kPingMagic.back(), static_cast<std::size_t>(end - at)));
    if (at == nullptr) return std::nullopt;
    const std::uint8_t* const magic = at - kBefore;
    std::optional<FoundPing> found;
    if (std::equal(magic, at, kPingMagic.begin())) {
      found = binary_at(ByteView(magic, end));
    } else if (is_text_magic(magic)) {
      found = text_at(ByteView(magic, end));
    }
    if (found) {
      found->end += static_cast<std::size_t>(magic - begin);
      return found;
    }
  }
  return std::nullopt;
}

std::string ping_text(ByteView sealed) {
  std::string text(kPingTextMagic);
  std::uint32_t bits = 0;
  unsigned have = 0;
  for (const std::uint8_t byte : sealed.subspan(kPingMagic.size())) {
    bits = bits << 8 | byte;
    have += 8;
    while (have >= 5) {
      have -= 5;
      text.push_back(kDigits[bits >> have & 31]);
    }
    bits &= (1U << have) - 1;
  }
  if (have > 0) text.push_back(kDigits[bits << (5 - have) & 31]);
  return text;
}

Result<std::string> ping_name(ByteView sealed, std::string_view zone) {
  constexpr std::size_t kLongestName = 253;  // RFC 1035 §2.3.4, without the root's byte
  const std::string text = ping_text(sealed);
  std::string name;
  for (std::size_t at = 0; at < text.size(); at += kLongestLabel) {
    if (at > 0) name += '.';
    name.append(text, at, kLongestLabel);
  }
  if (!zone.empty()) name.append(".").append(zone);
  if (name.size() > kLongestName) {
    return fail(ErrorKind::limit, "name", "ping",
                "the name would be " + std::to_string(name.size()) +
                    " characters long, more than 253: take a zone that is shorter than " +
                    std::string(zone));
  }
  return name;
}

}  // namespace beaconry
