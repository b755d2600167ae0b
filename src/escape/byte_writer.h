#pragma once
#include <cstdint>
#include <string_view>

#include "packet/craft.h"

namespace beaconry {

// Writes a message from front to back, numbers in network order.
class ByteWriter {
 public:
  ByteWriter& number(std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i)
      out_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
  }
  ByteWriter& u8(std::uint64_t value) { return number(value, 1); }
  ByteWriter& u16(std::uint64_t value) { return number(value, 2); }
  ByteWriter& u32(std::uint64_t value) { return number(value, 4); }
  ByteWriter& bytes(ByteView more) {
    out_.insert(out_.end(), more.begin(), more.end());
    return *this;
  }
  ByteWriter& text(std::string_view more) { return bytes(as_bytes(more)); }
  // `part` behind its length, which takes `size` bytes.
  ByteWriter& counted(int size, ByteView part) { return number(part.size(), size).bytes(part); }

  std::size_t size() const { return out_.size(); }
  const Bytes& view() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

// A name as DNS messages hold it: each label behind its length, a zero at the end.
// REQUIRES that no label is longer than 63 bytes.
inline void put_dns_name(ByteWriter& out, std::string_view name) {
  while (!name.empty()) {
    const std::size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (!label.empty()) out.counted(1, as_bytes(label));
    name = dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
  }
  out.u8(0);
}

}  // namespace beaconry
