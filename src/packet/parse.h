#pragma once
// Parses a frame into a plain struct. Plain C without libc, every loop bounded and every read
// checked against the frame's end, so that user space (C++) and kernel programs (clang -target bpf)
// compile the same text. No memory is kept: `payload` points into the frame.
#ifdef __cplusplus
#include <cstdint>
namespace beaconry {
#else
#include <stdint.h>
#endif

// Link types, by the numbers of capture files (https://www.tcpdump.org/linktypes.html).
enum {
  kLinkNull = 0,
  kLinkEthernet = 1,
  kLinkRawBsd = 12,
  kLinkRawOpenBsd = 14,
  kLinkRaw = 101,
  kLinkLoop = 108,
  kLinkCooked = 113,
  kLinkIpv4 = 228,
  kLinkIpv6 = 229,
  kLinkCooked2 = 276,
};

enum {
  kTcpFin = 0x01,
  kTcpSyn = 0x02,
  kTcpRst = 0x04,
  kTcpAck = 0x10,
};

enum {
  kProtocolIcmp = 1,
  kProtocolTcp = 6,
  kProtocolUdp = 17,
  kProtocolIcmpv6 = 58,
  kProtocolSctp = 132,
};

enum {
  kMostVlanTags = 4,
  kMostExtensionHeaders = 8,
  // Linux' GSO_MAX_SIZE: where IP says no length, the capture's word is believed up to this.
  kLargestSegmentation = 524288,
};

typedef enum ParseResult {
  kParsed = 0,
  kUnknownLinkType,
  kTruncatedLink,    // ends inside the link layer's header
  kNotIp,            // ARP, LLDP, spanning tree, ...
  kTooManyTags,      // more than kMostVlanTags
  kTruncatedIp,      // ends inside an IP or extension header
  kBadIpVersion,     // the version contradicts the link layer
  kBadIpLength,      // the header is longer than the packet, or shorter than the least header
  kTooManyHeaders,   // more than kMostExtensionHeaders
  kTruncatedPorts,   // ends before what is needed of TCP, UDP or SCTP
  kBadTransport,     // TCP data offset or UDP length that cannot be
  kParseResultCount  // how many there are
} ParseResult;

typedef enum FragmentKind {
  kWhole = 0,
  kFirstFragment,
  kLaterFragment,  // carries no ports
} FragmentKind;

typedef struct ParsedPacket {
  uint8_t source[16];  // network order, IPv4 as ::ffff:a.b.c.d
  uint8_t destination[16];
  uint16_t source_port;  // host order; 0 where the protocol has none
  uint16_t destination_port;
  uint8_t protocol;    // IANA number of what follows IP and its extension headers
  uint8_t ip_version;  // 4 or 6
  uint8_t fragment;    // FragmentKind
  uint8_t tcp_flags;
  uint8_t icmp_type;
  uint8_t vlan_tags;
  uint16_t ip_header;  // how long IP and its extension headers are
  uint32_t tcp_sequence;
  uint32_t payload_length;    // as the IP header says: padding and snap length do not matter
  uint32_t payload_captured;  // how much of it is in the frame
  const uint8_t* payload;
} ParsedPacket;

#define BEACONRY_PARSE static inline __attribute__((always_inline))

// Copies `size` bytes, a multiple of four, to an aligned place. The kernel's machines read packets
// at any address by whole words, but clang would go byte by byte.
// BEACONRY_FORGET: what `out` holds is read back as a number that may be anything. The kernel's
// verifier walks every path of a program; where all of them look alike, it goes on along one.
#ifdef __bpf__
#define BEACONRY_FORGET() __asm__ volatile("" ::: "memory")
#define BEACONRY_COPY(to, from, size)                                     \
  __builtin_memcpy(__builtin_assume_aligned(to, (size) % 8 == 0 ? 8 : 4), \
                   __builtin_assume_aligned(from, (size) % 8 == 0 ? 8 : 4), size)
#else
#define BEACONRY_FORGET()
#define BEACONRY_COPY(to, from, size) __builtin_memcpy(to, from, size)
#endif

BEACONRY_PARSE uint16_t parse_be16(const uint8_t* at) {
  return (uint16_t)(at[0] << 8 | at[1]);
}

BEACONRY_PARSE uint32_t parse_be32(const uint8_t* at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

// How far it is. The verifier refuses to calculate with halves of pointers, as clang likes to.
BEACONRY_PARSE uint32_t parse_distance(const uint8_t* from, const uint8_t* to) {
  uint64_t distance = (uint64_t)(to - from);
#ifdef __bpf__
  __asm__ volatile("" : "+r"(distance));
#endif
  return (uint32_t)distance;
}

// What follows IP, which begins at `ip`.
BEACONRY_PARSE ParseResult parse_transport(const uint8_t* ip, const uint8_t* end,
                                           ParsedPacket* out) {
  const uint8_t* at = ip + (out->ip_header & 0x7fff);
  uint32_t header = 0, length = out->payload_length;
  if (out->fragment == kLaterFragment) {
    // Only the first fragment says what this is.
  } else if (out->protocol == kProtocolTcp) {
    if (at + 14 > end) return kTruncatedPorts;
    out->source_port = parse_be16(at);
    out->destination_port = parse_be16(at + 2);
    out->tcp_sequence = parse_be32(at + 4);
    out->tcp_flags = at[13];
    header = (uint32_t)(at[12] >> 4) * 4;
    if (header < 20 || header > length) return kBadTransport;
  } else if (out->protocol == kProtocolUdp) {
    uint32_t said;
    if (at + 8 > end) return kTruncatedPorts;
    out->source_port = parse_be16(at);
    out->destination_port = parse_be16(at + 2);
    said = parse_be16(at + 4);
    header = 8;
    // 0: a jumbogram, or segmentation left to the network card.
    if (length < 8 || (said != 0 && said < 8)) return kBadTransport;
    if (said != 0 && said < length) length = said;
  } else if (out->protocol == kProtocolIcmp || out->protocol == kProtocolIcmpv6) {
    if (at + 1 > end) return kTruncatedPorts;
    out->icmp_type = at[0];
    header = length < 8 ? length : 8;
  } else if (out->protocol == kProtocolSctp) {
    if (at + 4 > end) return kTruncatedPorts;
    out->source_port = parse_be16(at);
    out->destination_port = parse_be16(at + 2);
    header = length < 12 ? length : 12;
  }
  out->payload_length = length - header;
  if (at + header <= end) {
    const uint32_t captured = parse_distance(at + header, end);
    out->payload = at + header;
    out->payload_captured = captured < out->payload_length ? captured : out->payload_length;
  }
  return kParsed;
}

// The headers of IP: what follows them is left in payload_length. `cut` is how much of the frame
// the capture left out at its end.
BEACONRY_PARSE ParseResult parse_ipv4(const uint8_t* at, const uint8_t* end, uint32_t cut,
                                      ParsedPacket* out) {
  uint32_t header, total, offset;
  if (at + 20 > end) return kTruncatedIp;
  if (at[0] >> 4 != 4) return kBadIpVersion;
  header = (uint32_t)(at[0] & 15) * 4;
  total = parse_be16(at + 2);
  if (total == 0) total = parse_distance(at, end) + cut;  // segmentation left to the network card
  if (header < 20 || total < header) return kBadIpLength;
  offset = parse_be16(at + 6);
  out->ip_version = 4;
  out->protocol = at[9];
  if ((offset & 0x1fff) != 0) {
    out->fragment = kLaterFragment;
  } else if ((offset & 0x2000) != 0) {
    out->fragment = kFirstFragment;
  }
  out->source[10] = out->source[11] = 0xff;
  out->destination[10] = out->destination[11] = 0xff;
  BEACONRY_COPY(out->source + 12, at + 12, 4);
  BEACONRY_COPY(out->destination + 12, at + 16, 4);
  if (at + header > end) return kTruncatedIp;
  out->ip_header = (uint16_t)header;
  out->payload_length = total - header;
  return kParsed;
}

BEACONRY_PARSE ParseResult parse_ipv6(const uint8_t* ip, const uint8_t* end, uint32_t cut,
                                      ParsedPacket* out) {
  int i;
  if (ip + 40 > end) return kTruncatedIp;
  if (ip[0] >> 4 != 6) return kBadIpVersion;
  out->payload_length = parse_be16(ip + 4);
  if (out->payload_length == 0) {  // jumbogram or segmentation offload
    out->payload_length = parse_distance(ip, end) + cut - 40;
  }
  out->ip_version = 6;
  out->protocol = ip[6];
  out->ip_header = 40;
  BEACONRY_COPY(out->source, ip + 8, 16);
  BEACONRY_COPY(out->destination, ip + 24, 16);
  for (i = 0; i <= kMostExtensionHeaders; ++i) {
    const uint8_t* at;
    uint32_t size, next;
    BEACONRY_FORGET();
    next = out->protocol;
    if (next != 0 && next != 43 && next != 44 && next != 51 && next != 60 && next != 135) {
      return kParsed;
    }
    if (i == kMostExtensionHeaders) break;
    at = ip + (out->ip_header & 0x7fff);
    if (at + 2 > end) return kTruncatedIp;
    size = (uint32_t)(at[1] + 1) * 8;
    if (next == 51) size = (uint32_t)(at[1] + 2) * 4;
    if (next == 44) {
      if (at + 8 > end) return kTruncatedIp;
      size = 8;
      if ((parse_be16(at + 2) & 0xfff8) != 0) {
        out->fragment = kLaterFragment;
      } else if ((at[3] & 1) != 0) {
        out->fragment = kFirstFragment;
      }
    }
    if (size > out->payload_length) return kBadIpLength;
    if (at + size > end) return kTruncatedIp;
    out->protocol = at[0];
    out->ip_header = (uint16_t)(out->ip_header + size);
    out->payload_length -= size;
    if (out->fragment == kLaterFragment) return kParsed;
  }
  return kTooManyHeaders;
}

// `version` is what the link layer says: 4, 6, or 0 where it says nothing.
BEACONRY_PARSE ParseResult parse_ip(uint32_t version, const uint8_t* at, const uint8_t* end,
                                    uint32_t cut, ParsedPacket* out) {
  ParseResult result;
  if (version == 0) {
    if (at + 1 > end) return kTruncatedIp;
    version = at[0] >> 4;
    if (version != 4 && version != 6) return kBadIpVersion;
  }
  result = version == 4 ? parse_ipv4(at, end, cut, out) : parse_ipv6(at, end, cut, out);
  if (result != kParsed) return result;
  BEACONRY_FORGET();
  return parse_transport(at, end, out);
}

// 802.1Q, 802.1ad, and what equipment used for outer tags before 802.1ad
BEACONRY_PARSE int parse_is_vlan(uint16_t type) {
  return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

// What follows an EtherType that ends at `at`: VLAN tags, then IP. Tags are skipped first, so that
// the text of the rest is needed once: the kernel's verifier walks every path.
BEACONRY_PARSE ParseResult parse_ether_type(uint16_t type, const uint8_t* at, const uint8_t* end,
                                            uint32_t cut, ParsedPacket* out) {
  int i;
  for (i = 0; i < kMostVlanTags && parse_is_vlan(type); ++i) {
    if (out->vlan_tags >= kMostVlanTags) return kTooManyTags;
    if (at + 4 > end) return kTruncatedLink;
    type = parse_be16(at + 2);
    at += 4;
    out->vlan_tags++;
  }
  if (parse_is_vlan(type)) return kTooManyTags;
  if (type != 0x0800 && type != 0x86dd) return kNotIp;
  return parse_ip(type == 0x0800 ? 4 : 6, at, end, cut, out);
}

// An Ethernet frame from whose front `stripped_tags` VLAN tags were taken already, as network cards
// do. `cut` is how much of the frame is missing at its end.
BEACONRY_PARSE ParseResult parse_ethernet(const uint8_t* data, const uint8_t* data_end,
                                          uint32_t cut, uint32_t stripped_tags, ParsedPacket* out) {
  __builtin_memset(out, 0, sizeof *out);
  out->vlan_tags = (uint8_t)stripped_tags;
  if (data + 14 > data_end) return kTruncatedLink;
  return parse_ether_type(parse_be16(data + 12), data + 14, data_end, cut, out);
}

// BSD loopback: the address family as the capturing machine numbers it, in its byte order (NULL) or
// the network's (LOOP).
BEACONRY_PARSE ParseResult parse_loopback(const uint8_t* at, const uint8_t* end, uint32_t cut,
                                          ParsedPacket* out) {
  uint32_t family;
  if (at + 4 > end) return kTruncatedLink;
  family = parse_be32(at);
  if (family > 0xffff) family = __builtin_bswap32(family);
  if (family == 2) return parse_ip(4, at + 4, end, cut, out);
  if (family == 10 || family == 24 || family == 28 || family == 30) {
    return parse_ip(6, at + 4, end, cut, out);
  }
  return kNotIp;
}

// Parses the frame [data, data_end) of which `wire_length` bytes, at least as many, were sent. What
// `out` holds is only of use with kParsed.
BEACONRY_PARSE ParseResult parse_packet(uint32_t link_type, const uint8_t* data,
                                        const uint8_t* data_end, uint32_t wire_length,
                                        ParsedPacket* out) {
  const uint32_t captured = parse_distance(data, data_end);
  uint32_t cut = wire_length > captured ? wire_length - captured : 0;
  if (cut > kLargestSegmentation) cut = kLargestSegmentation;
  __builtin_memset(out, 0, sizeof *out);
  switch (link_type) {
    case kLinkEthernet:
      return parse_ethernet(data, data_end, cut, 0, out);
    case kLinkRaw:
    case kLinkRawBsd:
    case kLinkRawOpenBsd:
      return parse_ip(0, data, data_end, cut, out);
    case kLinkIpv4:
      return parse_ip(4, data, data_end, cut, out);
    case kLinkIpv6:
      return parse_ip(6, data, data_end, cut, out);
    case kLinkCooked:
      if (data + 16 > data_end) return kTruncatedLink;
      return parse_ether_type(parse_be16(data + 14), data + 16, data_end, cut, out);
    case kLinkCooked2:
      if (data + 20 > data_end) return kTruncatedLink;
      return parse_ether_type(parse_be16(data), data + 20, data_end, cut, out);
    case kLinkNull:
    case kLinkLoop:
      return parse_loopback(data, data_end, cut, out);
    default:
      return kUnknownLinkType;
  }
}

#undef BEACONRY_PARSE
#undef BEACONRY_COPY
#undef BEACONRY_FORGET

#ifdef __cplusplus
}  // namespace beaconry
#endif
