#include "packet/tls_client_hello.h"

#include <algorithm>

namespace beaconry {
namespace {

constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kClientHello = 1;
constexpr std::uint16_t kServerNameExtension = 0;
constexpr std::size_t kHandshakeHeader = 4;

FoundName name_in_extension(ByteView extension) {
  ByteCursor cursor(extension);
  ByteCursor list(cursor.take(cursor.u16()));
  while (cursor.ok() && list.left() > 0) {
    const std::uint8_t type = list.u8();
    const ByteView name = list.take(list.u16());
    if (!list.ok()) break;
    if (type == 0 && !name.empty()) return {NameStatus::found, as_text(name)};
  }
  return {NameStatus::absent, {}};
}

FoundName name_in_hello(ByteView body) {
  ByteCursor hello(body);
  const std::uint16_t version = hello.u16();
  if (version < 0x0300 || version > 0x0304) return {NameStatus::other, {}};
  hello.take(32);           // random
  hello.take(hello.u8());   // session id
  hello.take(hello.u16());  // cipher suites
  hello.take(hello.u8());   // compression methods
  if (!hello.ok()) return {NameStatus::other, {}};
  if (hello.left() == 0) return {NameStatus::absent, {}};  // before TLS 1.2 without extensions
  ByteCursor extensions(hello.take(hello.u16()));
  if (!hello.ok()) return {NameStatus::other, {}};
  while (extensions.left() > 0) {
    const std::uint16_t type = extensions.u16();
    const ByteView extension = extensions.take(extensions.u16());
    if (!extensions.ok()) return {NameStatus::other, {}};
    if (type == kServerNameExtension) return name_in_extension(extension);
  }
  return {NameStatus::absent, {}};
}

}  // namespace

FoundName tls_client_hello_message(ByteView handshake) {
  if (handshake.empty()) return {NameStatus::needs_more, {}};
  if (handshake[0] != kClientHello) return {NameStatus::other, {}};
  if (handshake.size() < kHandshakeHeader) return {NameStatus::needs_more, {}};
  ByteCursor cursor(handshake.subspan(1));
  const std::uint32_t length = cursor.u24();
  if (length > kLongestClientHello) return {NameStatus::other, {}};
  if (cursor.left() < length) return {NameStatus::needs_more, {}};
  return name_in_hello(cursor.take(length));
}

FoundName tls_client_hello(ByteView stream, std::string& scratch) {
  scratch.clear();
  bool first = true;
  for (;;) {
    ByteCursor cursor(stream);
    if (stream.size() >= 2 && (stream[0] != kHandshakeRecord || stream[1] != 3)) break;
    if (stream.size() < 5) return {NameStatus::needs_more, {}};
    cursor.take(3);
    const std::uint16_t length = cursor.u16();
    // RFC 8446 §5.1: no empty handshake records, at most 2^14 bytes.
    if (length == 0 || length > kLongestClientHello) break;
    const ByteView fragment = cursor.rest().first(std::min<std::size_t>(length, cursor.left()));
    const bool whole_record = fragment.size() == length;
    ByteView message = fragment;
    if (!first) {
      scratch.append(as_text(fragment));
      message = as_bytes(scratch);
    }
    const FoundName found = tls_client_hello_message(message);
    if (found.status != NameStatus::needs_more || !whole_record) return found;
    if (first) scratch.assign(as_text(fragment));
    first = false;
    stream = stream.subspan(5 + std::size_t{length});
  }
  return {NameStatus::other, {}};
}

}  // namespace beaconry
