#include "uplink/wire.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>

#include "base/text.h"

namespace beaconry::uplink {

bool WireReader::fail() {
  malformed_ = true;
  return false;
}

bool WireReader::varint(std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    if (i == rest_.size()) return fail();
    const auto byte = static_cast<std::uint8_t>(rest_[i]);
    value |= std::uint64_t{byte & 0x7fU} << (7 * i);
    if (byte < 0x80) {
      rest_.remove_prefix(i + 1);
      return true;
    }
  }
  return fail();
}

bool WireReader::skip(std::size_t bytes) {
  if (bytes > rest_.size()) return fail();
  rest_.remove_prefix(bytes);
  return true;
}

bool WireReader::next(WireField& field) {
  if (rest_.empty() || malformed_) return false;
  std::uint64_t tag = 0, value = 0;
  if (!varint(tag) || tag >> 32 != 0) return fail();
  field = {static_cast<std::uint32_t>(tag >> 3), static_cast<std::uint32_t>(tag & 7), {}};
  switch (field.type) {
    case 0:
      return varint(value);
    case 1:
      return skip(8);
    case 2:
      if (!varint(value)) return false;
      field.bytes = rest_.substr(0, static_cast<std::size_t>(value));
      return skip(static_cast<std::size_t>(value));
    case 5:
      return skip(4);
    default:
      return fail();  // groups are not of this version of the language
  }
}

bool is_plain_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

bool is_text(std::string_view text) {
  return text.size() <= kLongestText && is_plain_text(text);
}

std::string_view cleaned(std::string_view text, std::string& buffer) {
  const bool ascii =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (ascii) return text.substr(0, kLongestText);
  buffer = utf8_valid(text);
  for (char& c : buffer) {
    if ((c >= 0 && c < 0x20) || c == 0x7f) c = '?';
  }
  if (buffer.size() > kLongestText) {
    std::size_t end = kLongestText;
    while ((static_cast<unsigned>(buffer[end]) & 0xc0U) == 0x80U)
      --end;
    buffer.resize(end);
  }
  return buffer;
}

bool has_at_most(std::string_view message, std::size_t most) {
  WireReader reader(message);
  WireField field;
  for (std::size_t fields = 0; reader.next(field);) {
    if (++fields > most) return false;
  }
  return true;
}

void silence_protobuf() {
  static const auto silenced = google::protobuf::SetLogHandler(nullptr);
  (void)silenced;
}

}  // namespace beaconry::uplink
