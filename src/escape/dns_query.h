#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "escape/method.h"

namespace beaconry {

enum DnsType : std::uint8_t { kDnsA = 1, kDnsCname = 5, kDnsTxt = 16, kDnsAaaa = 28 };
constexpr std::uint16_t kDnsPort = 53;

// One question of ours, kept to tell its answer from others.
struct DnsQuestion {
  std::uint16_t id = 0;
  std::string name;
  std::uint8_t type = kDnsTxt;
};
// RFC 1035 with EDNS (RFC 6891) for 1,232 bytes; recursion desired.
Bytes dns_query(const DnsQuestion& question);

// An answer to that question, as far as its header and question say so: a response with its id,
// name (whatever the case) and type. The records of its answer section, at most kMostRecords; what
// comes behind a torn one is left out. Points into the message.
struct DnsAnswer {
  static constexpr std::size_t kMostRecords = 32;
  struct Record {
    std::uint16_t type = 0;
    ByteView data;
  };
  bool truncated = false;
  std::uint8_t code = 0;
  std::vector<Record> records;

  std::vector<IpAddress> addresses() const;
};
std::optional<DnsAnswer> read_dns_answer(ByteView message, const DnsQuestion& question);

// Home's answer in the records, docs/formats/ping.md: a reply ping in the text of a TXT or in the
// labels that a CNAME leads to, or the proof of one in a AAAA record or in the A records together.
bool take_dns_reply(Wire& wire, const DnsAnswer& answer);

}  // namespace beaconry
