#include "escape/ip_protocols.h"

#include <initializer_list>

#include "packet/parse.h"

namespace beaconry {
namespace {

// IANA numbers that packet/parse.h has no use for
enum : std::uint8_t {
  kHopByHop = 0,
  kIgmp = 2,
  kIpInIp = 4,
  kIpv6InIp = 41,
  kRouting = 43,
  kFragmentHeader = 44,
  kRsvp = 46,
  kGre = 47,
  kEsp = 50,
  kAh = 51,
  kNoNextHeader = 59,
  kDestinationOptions = 60,
  kOspf = 89,
  kEtherIp = 97,
  kPim = 103,
  kIpComp = 108,
  kVrrp = 112,
  kL2tp = 115,
  kMobility = 135,
  kUdpLite = 136,
  kMplsInIp = 137,
  kHip = 139,
  kShim6 = 140,
};
constexpr std::uint16_t kPort = 443;

Bytes with(std::initializer_list<std::uint8_t> header, ByteView data) {
  Bytes out(header);
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

void put32(Bytes& out, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i)
    out[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

// RFC 1071 over the whole message, which is how most of them do.
Bytes checked(Bytes message, std::size_t at) {
  const std::uint16_t sum = finish_checksum(add_to_checksum(0, message));
  message[at] = static_cast<std::uint8_t>(sum >> 8);
  message[at + 1] = static_cast<std::uint8_t>(sum);
  return message;
}

// An IPv4 tunnel's inside: the datagram that was meant.
Bytes inner_v4(const IpAddress& source, const IpAddress& destination, std::uint32_t random,
               ByteView data) {
  // Where the outer header is IPv6 there are no inner IPv4 addresses: those for documentation.
  const bool v4 = source.is_v4();
  const IpAddress from = v4 ? source : IpAddress::v4(0xc0000201),
                  to = v4 ? destination : IpAddress::v4(0xc0000202);
  const auto port = static_cast<std::uint16_t>(random | 0x8000);
  return ip(from, to, kProtocolUdp, udp(from, to, port, kPort, data));
}

Bytes inner_v6(const IpAddress& source, const IpAddress& destination, std::uint32_t random,
               ByteView data) {
  const IpAddress from = source.is_v4() ? six_to_four(source) : source;
  const IpAddress to = destination.is_v4() ? six_to_four(destination) : destination;
  const auto port = static_cast<std::uint16_t>(random | 0x8000);
  return ip(from, to, kProtocolUdp, udp(from, to, port, kPort, data));
}

// INIT with the data in a parameter that the receiver skips (RFC 9260 §3.2.1): what opens a
// connection in the tables of firewalls.
Bytes sctp(std::uint32_t random, ByteView data) {
  const std::size_t parameter = 4 + data.size(), chunk = 20 + parameter;
  Bytes out(32, 0);
  out[0] = static_cast<std::uint8_t>(random >> 24 | 0x80);
  out[1] = static_cast<std::uint8_t>(random >> 16);
  out[2] = kPort >> 8;
  out[3] = kPort & 0xff;
  out[12] = 1;
  out[14] = static_cast<std::uint8_t>(chunk >> 8);
  out[15] = static_cast<std::uint8_t>(chunk);
  put32(out, 16, random | 1);  // our tag, not 0
  put32(out, 20, 65'536);      // window
  out[25] = out[27] = 1;       // streams
  put32(out, 28, random);
  for (const std::size_t byte : {std::size_t{0x80}, std::size_t{0xff}, parameter >> 8, parameter})
    out.push_back(static_cast<std::uint8_t>(byte));
  out.insert(out.end(), data.begin(), data.end());
  out.resize((out.size() + 3) / 4 * 4);
  const std::uint32_t sum = crc32c(out);
  for (std::size_t i = 0; i < 4; ++i)  // the one field of it in little endian
    out[8 + i] = static_cast<std::uint8_t>(sum >> (8 * i));
  return out;
}

// Version 2, hello of a router of no area: RFC 2328 §A.3.1.
Bytes ospf(const IpAddress& source, ByteView data) {
  Bytes out(24, 0);
  const std::size_t length = out.size() + data.size();
  out[0] = 2;
  out[1] = 1;
  out[2] = static_cast<std::uint8_t>(length >> 8);
  out[3] = static_cast<std::uint8_t>(length);
  put32(out, 4, parse_be32(source.bytes().data() + 12));
  out.insert(out.end(), data.begin(), data.end());
  return checked(std::move(out), 12);
}

}  // namespace

IpAddress six_to_four(const IpAddress& v4) {
  std::array<std::uint8_t, 16> bytes{0x20, 0x02};
  for (std::size_t i = 0; i < 4; ++i)
    bytes[2 + i] = v4.bytes()[12 + i];
  bytes[15] = 1;
  return IpAddress::v6_bytes(bytes.data());
}

std::uint32_t crc32c(ByteView bytes) {
  std::uint32_t sum = 0xffffffff;
  for (const std::uint8_t byte : bytes) {
    sum ^= byte;
    for (int bit = 0; bit < 8; ++bit)
      sum = sum >> 1 ^ ((sum & 1) != 0 ? 0x82f63b78U : 0U);
  }
  return ~sum;
}

Bytes protocol_payload(std::uint8_t protocol, const IpAddress& source, const IpAddress& destination,
                       std::uint32_t random, ByteView data) {
  const auto r0 = static_cast<std::uint8_t>(random), r1 = static_cast<std::uint8_t>(random >> 8),
             r2 = static_cast<std::uint8_t>(random >> 16);
  const auto port = static_cast<std::uint16_t>(random | 0x8000);
  const bool v4 = destination.is_v4();
  switch (protocol) {
    case kProtocolIcmp:
      return icmp(8, 0, random, data);
    case kProtocolIcmpv6:
      return v4 ? icmp(128, 0, random, data) : icmpv6(source, destination, 128, 0, random, data);
    case kProtocolTcp: {
      TcpHeader header;
      header.source_port = port;
      header.destination_port = kPort;
      header.sequence = random;
      header.flags = kTcpSyn;
      return tcp(source, destination, header, data);
    }
    case kProtocolUdp:
      return udp(source, destination, port, kPort, data);
    case kUdpLite:
      return udp_lite(source, destination, port, kPort, data);
    case kProtocolSctp:
      return sctp(random, data);
    case kIgmp:  // a type for experiments: RFC 3228
      return checked(with({0xf0, 0, 0, 0, 0, 0, 0, 0}, data), 2);
    case kIpInIp:
      return inner_v4(source, destination, random, data);
    case kIpv6InIp:
      return inner_v6(source, destination, random, data);
    case kRsvp:  // version 1, a type that nobody assigned: RFC 2205 §3.1
      return checked(
          with({0x10, 0xf0, 0, 0, 64, 0, static_cast<std::uint8_t>((8 + data.size()) >> 8),
                static_cast<std::uint8_t>(8 + data.size())},
               data),
          2);
    case kGre:  // of an EtherType for experiments: RFC 2784
      return with({0, 0, 0x88, 0xb5}, data);
    case kEsp:
      return with({1, r2, r1, r0, 0, 0, 0, 1}, data);
    case kAh:  // nothing follows; an integrity value of 12 bytes
      return with({kNoNextHeader,
                   4,
                   0,
                   0,
                   1,
                   r2,
                   r1,
                   r0,
                   0,
                   0,
                   0,
                   1,  //
                   r0,
                   r1,
                   r2,
                   r0,
                   r1,
                   r2,
                   r0,
                   r1,
                   r2,
                   r0,
                   r1,
                   r2},
                  data);
    case kOspf:
      return v4 ? ospf(source, data) : with({}, data);
    case kEtherIp:  // version 3, then a frame to nobody: RFC 3378
      return with({0x30, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5}, data);
    case kPim:  // version 2, type 15: reserved for extensions
      return v4 ? checked(with({0x2f, 0, 0, 0}, data), 2) : with({0x2f, 0, 0, 0}, data);
    case kIpComp:
      return with({kNoNextHeader, 0, 0, 2}, data);
    case kVrrp:  // version 2, the least priority of a router that nobody has
      return checked(with({0x21, 255, 1, 0, 0, 1, 0, 0}, data), 6);
    case kL2tp:
      return with({1, r2, r1, r0}, data);
    case kMplsInIp:  // a label, the last one
      return with({r2, r1, 0x11, 64}, data);
    default:
      break;
  }
  if (v4) return with({}, data);
  switch (protocol) {  // IPv6's own headers, after which nothing follows but what nobody reads
    case kHopByHop:
    case kDestinationOptions:
      return with({kNoNextHeader, 0, 1, 4, 0, 0, 0, 0}, data);
    case kRouting:  // a type for experiments, nowhere left to go: RFC 4727
      return with({kNoNextHeader, 0, 253, 0, 0, 0, 0, 0}, data);
    case kFragmentHeader:  // whole
      return with({kNoNextHeader, 0, 0, 0, r2, r1, r0, 1}, data);
    case kMobility:
    case kHip:
    case kShim6:
      return with({kNoNextHeader, 0, 0, 0, 0, 0, 0, 0}, data);
    default:
      return with({}, data);
  }
}

}  // namespace beaconry
