#include "home/dns_message.h"

#include <algorithm>
#include <cassert>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kResponse = 0x8000, kOperation = 0x7800, kAuthoritative = 0x0400,
                        kTruncated = 0x0200, kRecursionDesired = 0x0100, kDnssecOk = 0x8000;
constexpr std::size_t kLongestName = 255, kMostRecords = 16;
constexpr std::uint16_t kPointer = 0xc000;

void put(Bytes& out, std::uint64_t value, int size) {
  for (int i = size - 1; i >= 0; --i)
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}
void put(Bytes& out, ByteView bytes) {
  out.reserve(out.size() + bytes.size());
  for (const std::uint8_t byte : bytes)
    out.push_back(byte);
}

// No compression: a question's name has nothing before it to point to.
bool read_name(ByteCursor& cursor, std::vector<std::string>& labels) {
  std::size_t size = 1;
  for (;;) {
    const std::uint8_t length = cursor.u8();
    if (length == 0) return cursor.ok();
    if (length > 63 || (size += length + 1U) > kLongestName) return false;
    labels.push_back(ascii_lower(as_text(cursor.take(length))));
    if (!cursor.ok()) return false;
  }
}

bool skip_name(ByteCursor& cursor, bool& is_root) {
  is_root = true;
  while (cursor.ok()) {
    const std::uint8_t length = cursor.u8();
    if (length == 0) return cursor.ok();
    is_root = false;
    if (length >= 0xc0) {
      cursor.u8();
      return cursor.ok();
    }
    if (length > 63) return false;
    cursor.take(length);
  }
  return false;
}

bool read_edns(ByteCursor& cursor, std::size_t records, DnsRequest& request) {
  if (records > kMostRecords) return false;
  for (std::size_t i = 0; i < records; ++i) {
    bool is_root = false;
    if (!skip_name(cursor, is_root)) return false;
    const std::uint16_t type = cursor.u16(), klass = cursor.u16();
    const std::uint32_t ttl = cursor.u32();
    cursor.take(cursor.u16());
    if (!cursor.ok()) return false;
    if (type != kRecordOpt) continue;
    if (request.has_edns || !is_root) return false;
    request.has_edns = true;
    request.udp_size = std::max<std::uint16_t>(klass, 512);
    request.edns_version = static_cast<std::uint8_t>(ttl >> 16);
    request.dnssec_ok = (ttl & kDnssecOk) != 0;
  }
  return true;
}

}  // namespace

DnsReading read_dns_request(ByteView message, DnsRequest& request) {
  request = {};
  ByteCursor cursor(message);
  request.id = cursor.u16();
  request.flags = cursor.u16();
  const std::uint16_t questions = cursor.u16(), answers = cursor.u16(), authorities = cursor.u16(),
                      additional = cursor.u16();
  if (!cursor.ok() || (request.flags & kResponse) != 0) return DnsReading::ignored;
  if ((request.flags & kOperation) != 0) return DnsReading::not_implemented;
  if (questions != 1) return DnsReading::malformed;
  if (!read_name(cursor, request.labels)) return DnsReading::malformed;
  request.type = cursor.u16();
  request.klass = cursor.u16();
  if (!cursor.ok()) return DnsReading::malformed;
  const ByteView question =
      message.subspan(kDnsHeader, message.size() - kDnsHeader - cursor.left());
  request.question.assign(question.begin(), question.end());
  const std::size_t records = std::size_t{answers} + authorities + additional;
  return read_edns(cursor, records, request) ? DnsReading::request : DnsReading::malformed;
}

DnsAnswerWriter::DnsAnswerWriter(const DnsRequest& request) : request_(request) {}

Bytes DnsAnswerWriter::name_from(std::size_t label) const {
  assert(label <= request_.labels.size());
  std::size_t at = kDnsHeader;
  for (std::size_t i = 0; i < label; ++i)
    at += request_.labels[i].size() + 1;
  Bytes name;
  put(name, kPointer | at, 2);
  return name;
}

Bytes DnsAnswerWriter::name_from(std::string_view first, std::size_t label) const {
  assert(!first.empty() && first.size() <= 63);
  Bytes name;
  put(name, first.size(), 1);
  put(name, as_bytes(first));
  put(name, name_from(label));
  return name;
}

void DnsAnswerWriter::add(Section section, ByteView owner, std::uint16_t type, std::uint32_t ttl,
                          ByteView data) {
  put(records_, owner);
  put(records_, type, 2);
  put(records_, kDnsClassIn, 2);
  put(records_, ttl, 4);
  put(records_, data.size(), 2);
  put(records_, data);
  ++(section == Section::answer ? answers_ : authorities_);
}

Bytes DnsAnswerWriter::message(DnsCode code, bool is_truncated, ByteView records) const {
  const auto number = static_cast<unsigned>(code);
  unsigned flags = kResponse | (request_.flags & (kOperation | kRecursionDesired)) | (number & 15);
  if (code == DnsCode::no_error || code == DnsCode::name_error) flags |= kAuthoritative;
  if (is_truncated) flags |= kTruncated;
  Bytes out;
  put(out, request_.id, 2);
  put(out, flags, 2);
  put(out, request_.question.empty() ? 0 : 1, 2);
  put(out, records.empty() ? 0 : answers_, 2);
  put(out, records.empty() ? 0 : authorities_, 2);
  put(out, request_.has_edns ? 1 : 0, 2);
  put(out, request_.question);
  put(out, records);
  if (request_.has_edns) {
    put(out, 0, 1);
    put(out, kRecordOpt, 2);
    put(out, kUdpSize, 2);
    put(out, number >> 4, 1);
    put(out, 0, 1);  // version
    put(out, request_.dnssec_ok ? kDnssecOk : 0, 2);
    put(out, 0, 2);
  }
  return out;
}

Bytes DnsAnswerWriter::finish(DnsCode code, std::size_t most) {
  Bytes whole = message(code, false, records_);
  return whole.size() <= most ? whole : truncated();
}

Bytes DnsAnswerWriter::truncated() {
  return message(DnsCode::no_error, true, {});
}

Bytes dns_text(std::string_view text) {
  Bytes out;
  do {
    const std::string_view part = text.substr(0, 255);
    out.push_back(static_cast<std::uint8_t>(part.size()));
    put(out, as_bytes(part));
    text.remove_prefix(part.size());
  } while (!text.empty());
  return out;
}

}  // namespace beaconry
