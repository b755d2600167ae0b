#include "hunt/output/json_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ostream>

#include "base/text.h"
#include "hunt/output/number.h"

namespace beaconry {
namespace {

constexpr std::size_t kBuffer = 65536;

bool stands_for_itself(char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

}  // namespace

JsonWriter::JsonWriter(std::ostream& out) : out_(out), buffer_(new char[kBuffer]) {}

void JsonWriter::flush() {
  out_.write(buffer_.get(), static_cast<std::streamsize>(used_));
  used_ = 0;
}

void JsonWriter::put(char c) {
  if (used_ == kBuffer) flush();
  buffer_[used_++] = c;
}

void JsonWriter::copy(std::string_view bytes) {
  while (!bytes.empty()) {
    if (used_ == kBuffer) flush();
    const std::size_t fits = std::min(bytes.size(), kBuffer - used_);
    std::memcpy(buffer_.get() + used_, bytes.data(), fits);
    used_ += fits;
    bytes.remove_prefix(fits);
  }
}

void JsonWriter::separate() {
  if (comma_) put(',');
  comma_ = true;
}

void JsonWriter::open(char bracket) {
  separate();
  put(bracket);
  comma_ = false;
}

void JsonWriter::raw(std::string_view value) {
  separate();
  copy(value);
}

void JsonWriter::name(std::string_view key) {
  separate();
  put('"');
  copy(key);
  copy("\":");
  comma_ = false;
}

void JsonWriter::key(std::string_view value) {
  text(value);
  put(':');
  comma_ = false;
}

void JsonWriter::plain(std::string_view value) {
  separate();
  put('"');
  copy(value);
  put('"');
}

void JsonWriter::text(std::string_view value) {
  if (std::all_of(value.begin(), value.end(), stands_for_itself)) {
    plain(value);
    return;
  }
  separate();
  put('"');
  escape(value);
  put('"');
}

void JsonWriter::escape(std::string_view value) {
  const auto code_unit = [&](std::uint32_t unit) {
    char digits[8];
    std::snprintf(digits, sizeof digits, "\\u%04x", unit & 0xffffU);
    copy(digits);
  };
  while (!value.empty()) {
    std::uint32_t c = 0;
    const std::size_t length = utf8_length(value, c);
    if (length == 0) {
      code_unit(0xfffd);
    } else if (length == 1 && stands_for_itself(value[0])) {
      put(value[0]);
    } else if (c == '"' || c == '\\') {
      put('\\');
      put(value[0]);
    } else if (c < 0x10000) {
      code_unit(c);
    } else {  // a surrogate pair, RFC 8259 §7
      code_unit(0xd800 + ((c - 0x10000) >> 10));
      code_unit(0xdc00 + ((c - 0x10000) & 0x3ff));
    }
    value.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

void JsonWriter::whole(std::uint64_t value) {
  char digits[24];
  const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  raw({digits, static_cast<std::size_t>(end - digits)});
}

void JsonWriter::number(double value) {
  if (!std::isfinite(value)) {
    null();
    return;
  }
  NumberBuffer buffer;
  raw(six_decimals(value, buffer));
}

}  // namespace beaconry
