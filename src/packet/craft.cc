#include "packet/craft.h"

#include <algorithm>
#include <cassert>

#include "packet/parse.h"

namespace beaconry {
namespace {

constexpr std::uint8_t kProtocolUdpLite = 136;
constexpr std::size_t kMostLength = 65'535;

void put8(Bytes& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value));
}

void put16(Bytes& out, unsigned value) {
  put8(out, value >> 8 & 0xff);
  put8(out, value & 0xff);
}

void put32(Bytes& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}

void put(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_mac(Bytes& out, const MacAddress& mac) {
  put(out, mac.bytes);
}

// The four or sixteen bytes as they stand in a header.
ByteView wire_bytes(const IpAddress& address) {
  const ByteView all = address.bytes();
  return address.is_v4() ? all.subspan(12) : all;
}

void set16(Bytes& out, std::size_t at, unsigned value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}

// RFC 768, 8200 §8.1: the same for both families, as neither length nor protocol fills its field.
std::uint32_t pseudo_header(const IpAddress& source, const IpAddress& destination,
                            std::uint8_t protocol, std::size_t length) {
  assert(source.is_v4() == destination.is_v4());
  std::uint32_t sum = add_to_checksum(0, wire_bytes(source));
  sum = add_to_checksum(sum, wire_bytes(destination));
  return sum + protocol + static_cast<std::uint32_t>(length);
}

Bytes udp_of(std::uint8_t protocol, const IpAddress& source, const IpAddress& destination,
             std::uint16_t source_port, std::uint16_t destination_port, ByteView payload) {
  const std::size_t length = 8 + payload.size();
  assert(length <= kMostLength);
  Bytes out;
  out.reserve(length);
  put16(out, source_port);
  put16(out, destination_port);
  put16(out, static_cast<unsigned>(length));  // of UDP-Lite: what the checksum covers
  put16(out, 0);
  put(out, payload);
  const std::uint16_t sum =
      finish_checksum(add_to_checksum(pseudo_header(source, destination, protocol, length), out));
  set16(out, 6, sum == 0 ? 0xffff : sum);  // 0 would say that there is none
  return out;
}

}  // namespace

std::uint32_t add_to_checksum(std::uint32_t sum, ByteView bytes) {
  // 64 bits hold the sum of any packet; folding at the end is what RFC 1071 §2 allows.
  std::uint64_t wide = sum;
  std::size_t i = 0;
  for (; i + 1 < bytes.size(); i += 2)
    wide += static_cast<std::uint64_t>(bytes[i] << 8 | bytes[i + 1]);
  if (i < bytes.size()) wide += static_cast<std::uint64_t>(bytes[i] << 8);
  while (wide >> 16 != 0)
    wide = (wide & 0xffff) + (wide >> 16);
  return static_cast<std::uint32_t>(wide);
}

std::uint16_t finish_checksum(std::uint32_t sum) {
  while (sum >> 16 != 0)
    sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

Bytes ethernet(const MacAddress& destination, const MacAddress& source, std::uint16_t type,
               ByteView payload) {
  Bytes out;
  out.reserve(14 + payload.size());
  put_mac(out, destination);
  put_mac(out, source);
  put16(out, type);
  put(out, payload);
  return out;
}

Bytes ipv4(const Ipv4Header& header, ByteView payload) {
  assert(header.source.is_v4() && header.destination.is_v4());
  assert(header.options.size() <= 40 && header.fragment_offset < 0x2000);
  const std::size_t options = (header.options.size() + 3) / 4 * 4;
  const std::size_t head = 20 + options, total = head + payload.size();
  assert(total <= kMostLength);
  Bytes out;
  out.reserve(total);
  put8(out, 4 << 4 | static_cast<unsigned>(head / 4));
  put8(out, header.type_of_service);
  put16(out, static_cast<unsigned>(total));
  put16(out, header.identification);
  put16(out, (header.dont_fragment ? 0x4000U : 0U) | (header.more_fragments ? 0x2000U : 0U) |
                 header.fragment_offset);
  put8(out, header.ttl);
  put8(out, header.protocol);
  put16(out, 0);
  put(out, wire_bytes(header.source));
  put(out, wire_bytes(header.destination));
  put(out, header.options);
  out.resize(head);  // padded by "end of options"
  set16(out, 10, finish_checksum(add_to_checksum(0, out)));
  put(out, payload);
  return out;
}

Bytes ipv6(const Ipv6Header& header, ByteView payload) {
  assert(payload.size() <= kMostLength);
  Bytes out;
  out.reserve(40 + payload.size());
  put32(out, 6U << 28);
  put16(out, static_cast<unsigned>(payload.size()));
  put8(out, header.next_header);
  put8(out, header.hop_limit);
  put(out, header.source.bytes());
  put(out, header.destination.bytes());
  put(out, payload);
  return out;
}

Bytes ip(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
         ByteView payload, std::uint8_t ttl, std::uint16_t identification) {
  if (destination.is_v4()) {
    Ipv4Header header;
    header.source = source;
    header.destination = destination;
    header.protocol = protocol;
    header.ttl = ttl;
    header.identification = identification;
    return ipv4(header, payload);
  }
  return ipv6({source, destination, protocol, ttl}, payload);
}

Bytes udp(const IpAddress& source, const IpAddress& destination, std::uint16_t source_port,
          std::uint16_t destination_port, ByteView payload) {
  return udp_of(kProtocolUdp, source, destination, source_port, destination_port, payload);
}

Bytes udp_lite(const IpAddress& source, const IpAddress& destination, std::uint16_t source_port,
               std::uint16_t destination_port, ByteView payload) {
  return udp_of(kProtocolUdpLite, source, destination, source_port, destination_port, payload);
}

Bytes tcp(const IpAddress& source, const IpAddress& destination, const TcpHeader& header,
          ByteView payload) {
  const std::size_t head = header.most_segment ? 24 : 20, length = head + payload.size();
  assert(length <= kMostLength);
  Bytes out;
  out.reserve(length);
  put16(out, header.source_port);
  put16(out, header.destination_port);
  put32(out, header.sequence);
  put32(out, header.acknowledgement);
  put8(out, static_cast<unsigned>(head / 4) << 4);
  put8(out, header.flags);
  put16(out, header.window);
  put32(out, 0);  // checksum, urgent pointer
  if (header.most_segment) {
    put16(out, 0x0204);
    put16(out, *header.most_segment);
  }
  put(out, payload);
  set16(out, 16,
        finish_checksum(
            add_to_checksum(pseudo_header(source, destination, kProtocolTcp, length), out)));
  return out;
}

Bytes icmp(std::uint8_t type, std::uint8_t code, std::uint32_t rest, ByteView payload) {
  Bytes out;
  out.reserve(8 + payload.size());
  put8(out, type);
  put8(out, code);
  put16(out, 0);
  put32(out, rest);
  put(out, payload);
  set16(out, 2, finish_checksum(add_to_checksum(0, out)));
  return out;
}

Bytes icmpv6(const IpAddress& source, const IpAddress& destination, std::uint8_t type,
             std::uint8_t code, std::uint32_t rest, ByteView payload) {
  Bytes out = icmp(type, code, rest, payload);
  set16(out, 2, 0);
  set16(out, 2,
        finish_checksum(
            add_to_checksum(pseudo_header(source, destination, kProtocolIcmpv6, out.size()), out)));
  return out;
}

Bytes arp(std::uint16_t operation, const MacAddress& sender_mac, const IpAddress& sender,
          const MacAddress& target_mac, const IpAddress& target) {
  Bytes out;
  out.reserve(28);
  put16(out, 1);  // Ethernet
  put16(out, kEtherIpv4);
  put8(out, 6);
  put8(out, 4);
  put16(out, operation);
  put_mac(out, sender_mac);
  put(out, ByteView(sender.bytes()).subspan(12));
  put_mac(out, target_mac);
  put(out, ByteView(target.bytes()).subspan(12));
  return out;
}

}  // namespace beaconry
