#include "packet/dns_message.h"

namespace beaconry {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::uint16_t kTypeA = 1, kTypeAaaa = 28, kClassIn = 1;

std::size_t be16(ByteView message, std::size_t at) {
  return static_cast<std::size_t>(message[at] << 8 | message[at + 1]);
}

// Moves `at` behind a name; a pointer ends it.
bool skip_name(ByteView message, std::size_t& at) {
  for (;;) {
    if (at >= message.size()) return false;
    const std::size_t length = message[at];
    if ((length & 0xc0) == 0xc0) {
      at += 2;
      return at <= message.size();
    }
    if ((length & 0xc0) != 0) return false;
    at += 1 + length;
    if (length == 0) return true;
  }
}

}  // namespace

bool DnsMessage::read_question(ByteView message, std::size_t& at) {
  // A pointer must lead back, so that each jump is to before the last: no loop is possible.
  std::size_t cursor = at, limit = at;
  bool jumped = false;
  name_size_ = 0;
  for (;;) {
    if (cursor >= message.size()) return false;
    const std::size_t length = message[cursor];
    if ((length & 0xc0) == 0xc0) {
      if (cursor + 1 >= message.size()) return false;
      const std::size_t target = be16(message, cursor) & 0x3fff;
      if (!jumped) at = cursor + 2;
      jumped = true;
      if (target >= limit || target < kHeader) return false;
      limit = cursor = target;
      continue;
    }
    if ((length & 0xc0) != 0) return false;
    if (length == 0) break;
    if (cursor + 1 + length > message.size()) return false;
    if (name_size_ + length + 1 > name_.size()) return false;
    if (name_size_ > 0) name_[name_size_++] = '.';
    for (std::size_t i = 1; i <= length; ++i) {
      const char c = static_cast<char>(message[cursor + i]);
      name_[name_size_++] = c > ' ' && c < '\x7f' && c != '.' ? c : '?';
    }
    cursor += 1 + length;
  }
  if (!jumped) at = cursor + 1;
  if (at + 4 > message.size()) return false;
  question_type_ = static_cast<std::uint16_t>(be16(message, at));
  at += 4;
  return true;
}

bool DnsMessage::parse(ByteView message) {
  response_ = false;
  name_size_ = address_count_ = 0;
  question_type_ = 0;
  if (message.size() < kHeader) return false;
  const std::size_t flags = be16(message, 2);
  response_ = (flags & 0x8000) != 0;
  const std::size_t opcode = flags >> 11 & 15;
  const std::size_t questions = be16(message, 4);
  const std::size_t answers = be16(message, 6);
  // Query, status, notify, update, stateful operations; more than a few questions is no DNS.
  if (opcode > 6 || questions > 4 || (!response_ && questions == 0)) return false;

  std::size_t at = kHeader;
  if (questions > 0 && !read_question(message, at)) {
    name_size_ = 0;
    return false;
  }
  for (std::size_t i = 1; i < questions; ++i) {
    if (!skip_name(message, at)) return false;
    at += 4;
  }
  if (!response_) return true;
  for (std::size_t i = 0; i < answers && address_count_ < kMostDnsAnswers; ++i) {
    if (!skip_name(message, at) || at + 10 > message.size()) break;
    const std::size_t type = be16(message, at), klass = be16(message, at + 2);
    const std::size_t size = be16(message, at + 8);
    at += 10;
    if (at + size > message.size()) break;
    if (klass == kClassIn && type == kTypeA && size == 4) {
      addresses_[address_count_++] = IpAddress::v4_bytes(message.data() + at);
    } else if (klass == kClassIn && type == kTypeAaaa && size == 16) {
      addresses_[address_count_++] = IpAddress::v6_bytes(message.data() + at);
    }
    at += size;
  }
  return true;
}

}  // namespace beaconry
