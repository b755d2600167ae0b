#include "escape/dns_query.h"

#include <algorithm>

#include "base/text.h"
#include "escape/byte_writer.h"
#include "escape/reply_search.h"
#include "packet/dns_message.h"
#include "ping/proof_addresses.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kRecursionDesired = 0x0100, kTruncated = 0x0200;
constexpr std::uint16_t kOpt = 41, kClassIn = 1;

// Moves behind a name; a pointer ends it.
bool skip_name(ByteCursor& cursor) {
  while (cursor.ok()) {
    const std::uint8_t length = cursor.u8();
    if (length == 0) return cursor.ok();
    if ((length & 0xc0) == 0xc0) {
      cursor.u8();
      return cursor.ok();
    }
    if ((length & 0xc0) != 0) return false;
    cursor.take(length);
  }
  return false;
}

}  // namespace

Bytes dns_query(const DnsQuestion& question) {
  ByteWriter out;
  out.u16(question.id).u16(kRecursionDesired);
  out.u16(1).u16(0).u16(0).u16(1);  // one question, one additional record
  put_dns_name(out, question.name);
  out.u16(question.type).u16(kClassIn);
  out.u8(0).u16(kOpt).u16(1232).u32(0).u16(0);
  return out.take();
}

std::vector<IpAddress> DnsAnswer::addresses() const {
  std::vector<IpAddress> list;
  for (const Record& record : records) {
    if (record.type == kDnsA && record.data.size() == 4) {
      list.push_back(IpAddress::v4_bytes(record.data.data()));
    } else if (record.type == kDnsAaaa && record.data.size() == 16) {
      list.push_back(IpAddress::v6_bytes(record.data.data()));
    }
  }
  return list;
}

std::optional<DnsAnswer> read_dns_answer(ByteView message, const DnsQuestion& question) {
  DnsMessage parsed;
  if (!parsed.parse(message) || !parsed.is_response()) return std::nullopt;
  ByteCursor cursor(message);
  if (cursor.u16() != question.id) return std::nullopt;
  const std::uint16_t flags = cursor.u16(), questions = cursor.u16(), answers = cursor.u16();
  cursor.u32();
  if (questions != 1 || parsed.question_type() != question.type ||
      ascii_lower(parsed.question()) != ascii_lower(question.name)) {
    return std::nullopt;
  }
  DnsAnswer answer;
  answer.truncated = (flags & kTruncated) != 0;
  answer.code = flags & 15;
  if (!skip_name(cursor)) return std::nullopt;
  cursor.u32();  // type and class
  for (std::size_t i = 0; i < std::min<std::size_t>(answers, DnsAnswer::kMostRecords); ++i) {
    if (!skip_name(cursor)) break;
    const std::uint16_t type = cursor.u16(), record_class = cursor.u16();
    cursor.u32();  // time to live
    const ByteView data = cursor.take(cursor.u16());
    if (!cursor.ok()) break;
    if (record_class == kClassIn) answer.records.push_back({type, data});
  }
  return answer;
}

bool take_dns_reply(Wire& wire, const DnsAnswer& answer) {
  for (const DnsAnswer::Record& record : answer.records) {
    if (record.type == kDnsTxt || record.type == kDnsCname) {
      if (take_reply_within(wire, record.data)) return true;
    } else if (record.type == kDnsAaaa && record.data.size() == std::tuple_size_v<ReplyProof>) {
      ReplyProof proof;
      std::copy_n(record.data.begin(), proof.size(), proof.begin());
      if (wire.take_proof(proof)) return true;
    }
  }
  const auto proof = proof_in_addresses(answer.addresses());
  return proof && wire.take_proof(*proof);
}

}  // namespace beaconry
