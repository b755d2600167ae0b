#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ip_address.h"
#include "packet/found_name.h"
#include "packet/mac_address.h"

namespace beaconry {

// Makes packets: each function gives the bytes of one header with what it carries, so that they
// nest: ethernet(…, ipv4(…, udp(…))). Lengths and checksums are filled in. A header that has to be
// wrong for its purpose is made right here and spoilt by who needs it. Sizes beyond what a header's
// length field can say are a programming error (assert).
using Bytes = std::vector<std::uint8_t>;

enum : std::uint16_t {
  kEtherIpv4 = 0x0800,
  kEtherArp = 0x0806,
  kEtherVlan = 0x8100,
  kEtherIpv6 = 0x86dd
};

Bytes ethernet(const MacAddress& destination, const MacAddress& source, std::uint16_t type,
               ByteView payload);

struct Ipv4Header {
  IpAddress source, destination;
  std::uint8_t protocol = 0;
  std::uint8_t ttl = 64;
  std::uint16_t identification = 0;
  std::uint16_t fragment_offset = 0;  // in units of 8 bytes
  bool more_fragments = false;
  bool dont_fragment = false;
  std::uint8_t type_of_service = 0;
  Bytes options;  // padded to a multiple of 4, at most 40
};
Bytes ipv4(const Ipv4Header& header, ByteView payload);

struct Ipv6Header {
  IpAddress source, destination;
  std::uint8_t next_header = 0;
  std::uint8_t hop_limit = 64;
};
Bytes ipv6(const Ipv6Header& header, ByteView payload);
// Either, by the family of its destination; both addresses are of one family.
Bytes ip(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
         ByteView payload, std::uint8_t ttl = 64, std::uint16_t identification = 0);

// The checksums of UDP, TCP and ICMPv6 cover both addresses.
Bytes udp(const IpAddress& source, const IpAddress& destination, std::uint16_t source_port,
          std::uint16_t destination_port, ByteView payload);
Bytes udp_lite(const IpAddress& source, const IpAddress& destination, std::uint16_t source_port,
               std::uint16_t destination_port, ByteView payload);

struct TcpHeader {
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint32_t sequence = 0, acknowledgement = 0;
  std::uint8_t flags = 0;  // kTcpSyn of packet/parse.h, …
  std::uint16_t window = 64'240;
  std::optional<std::uint16_t> most_segment;  // the option MSS
};
Bytes tcp(const IpAddress& source, const IpAddress& destination, const TcpHeader& header,
          ByteView payload);

// `rest` is the second word: identifier and sequence number of an echo.
Bytes icmp(std::uint8_t type, std::uint8_t code, std::uint32_t rest, ByteView payload);
Bytes icmpv6(const IpAddress& source, const IpAddress& destination, std::uint8_t type,
             std::uint8_t code, std::uint32_t rest, ByteView payload);

// IPv4 over Ethernet (RFC 826), without the Ethernet header. operation: 1 asks, 2 answers.
Bytes arp(std::uint16_t operation, const MacAddress& sender_mac, const IpAddress& sender,
          const MacAddress& target_mac, const IpAddress& target);

// RFC 1071, continued from `sum`; the complement is what stands in a header.
std::uint32_t add_to_checksum(std::uint32_t sum, ByteView bytes);
std::uint16_t finish_checksum(std::uint32_t sum);

}  // namespace beaconry
