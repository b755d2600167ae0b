#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "packet/craft.h"

namespace beaconry {

// The server's side of DNS messages (RFC 1035, EDNS by RFC 6891), as much of it as an
// authoritative server for one zone needs. packet/dns_message.h reads what others say to each
// other.
enum DnsRecord : std::uint16_t {
  kRecordA = 1,
  kRecordNs = 2,
  kRecordCname = 5,
  kRecordSoa = 6,
  kRecordHinfo = 13,
  kRecordTxt = 16,
  kRecordAaaa = 28,
  kRecordOpt = 41,
  kRecordAny = 255,
};
enum class DnsCode : std::uint8_t {
  no_error = 0,
  form_error = 1,
  name_error = 3,  // NXDOMAIN
  not_implemented = 4,
  refused = 5,
  bad_version = 16,  // of EDNS
};
constexpr std::size_t kDnsHeader = 12;
constexpr std::uint16_t kDnsClassIn = 1;

struct DnsRequest {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  Bytes question;                   // name, type and class as they came; empty: it cannot be read
  std::vector<std::string> labels;  // of the name, in lower case
  std::uint16_t type = 0, klass = 0;
  bool has_edns = false;
  std::uint8_t edns_version = 0;
  std::uint16_t udp_size = 512;  // that its sender takes
  bool dnssec_ok = false;
};

enum class DnsReading : std::uint8_t {
  request,          // one whole question
  ignored,          // no request: shorter than a header, or itself an answer
  malformed,        // id and flags are there, to say so
  not_implemented,  // another operation than a query
};
DnsReading read_dns_request(ByteView message, DnsRequest& request);

// One answer, written from front to back: the question as it came, in its own case, then records.
// Names of records point into the question.
class DnsAnswerWriter {
 public:
  enum class Section : std::uint8_t { answer, authority };
  static constexpr std::uint16_t kUdpSize = 1232;  // that we take, and send at most

  explicit DnsAnswerWriter(const DnsRequest& request);

  // The end of the question's name from this label on: the zone itself, behind its own labels.
  Bytes name_from(std::size_t label) const;
  Bytes name_from(std::string_view first, std::size_t label) const;  // one label before that

  void add(Section section, ByteView owner, std::uint16_t type, std::uint32_t ttl, ByteView data);
  bool is_empty() const { return records_.empty(); }
  // The whole message, at most `most` bytes: if it is longer, the question alone, marked as
  // truncated.
  Bytes finish(DnsCode code, std::size_t most);
  Bytes truncated();

 private:
  Bytes message(DnsCode code, bool is_truncated, ByteView records) const;

  const DnsRequest& request_;
  Bytes records_;
  std::uint16_t answers_ = 0, authorities_ = 0;
};

// Character strings of at most 255 bytes each.
Bytes dns_text(std::string_view text);

}  // namespace beaconry
