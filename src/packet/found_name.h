#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace beaconry {

using ByteView = std::span<const std::uint8_t>;

enum class NameStatus : std::uint8_t {
  found,
  absent,      // a whole, well-formed message that names no server
  needs_more,  // the beginning of a message: ask again with more of it
  other,       // not a message of this kind
};

// What a reader of names made of a payload. `name` is as it was sent and points into the payload
// or the reader's buffer.
struct FoundName {
  NameStatus status = NameStatus::other;
  std::string_view name{};
};

inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Reads a message from front to back. A read beyond the end gives zeros and clears ok().
class ByteCursor {
 public:
  explicit ByteCursor(ByteView bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  ByteView rest() const { return rest_; }
  std::size_t left() const { return rest_.size(); }

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u24() { return number(3); }
  std::uint32_t u32() { return number(4); }

  ByteView take(std::size_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

 private:
  std::uint32_t number(std::size_t count) {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : take(count))
      value = value << 8 | byte;
    return value;
  }

  ByteView rest_;
  bool ok_ = true;
};

}  // namespace beaconry
