#pragma once
// Ethernet frames for tests and benchmarks of the kernel programs.
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "packet/parse.h"

namespace beaconry::test_frames {

using Bytes = std::vector<std::uint8_t>;

inline void put(Bytes& out, std::uint64_t value, int bytes) {  // network order
  for (int i = bytes - 1; i >= 0; --i)
    out.push_back(i < 8 ? static_cast<std::uint8_t>(value >> (8 * i)) : std::uint8_t{0});
}
inline void put(Bytes& out, const Bytes& more) {
  out.insert(out.end(), more.begin(), more.end());
}

struct FrameEnd {
  const char* address;
  std::uint16_t port;
};

struct Frame {
  FrameEnd from{"10.0.0.5", 50'000}, to{"203.0.113.9", 443};
  std::uint8_t protocol = kProtocolTcp;
  std::uint8_t flags = kTcpAck;
  std::uint32_t sequence = 1000;
  Bytes payload{};
  std::vector<std::uint16_t> tags{};       // EtherTypes of VLAN tags, outermost first
  unsigned ip_options = 0;                 // bytes, a multiple of four
  std::vector<std::uint8_t> extensions{};  // IPv6 header numbers, 8 bytes each
  std::uint16_t fragment = 0;              // IPv4: flags and offset
  std::uint8_t icmp_type = 8;

  Bytes transport() const {
    Bytes out;
    if (protocol == kProtocolTcp) {
      put(out, from.port, 2), put(out, to.port, 2);
      put(out, sequence, 4), put(out, 0, 4);
      put(out, 0x50, 1), put(out, flags, 1), put(out, 0xffff, 2), put(out, 0, 4);
    } else if (protocol == kProtocolUdp) {
      put(out, from.port, 2), put(out, to.port, 2);
      put(out, 8 + payload.size(), 2), put(out, 0, 2);
    } else if (protocol == kProtocolIcmp || protocol == kProtocolIcmpv6) {
      put(out, icmp_type, 1), put(out, 0, 7);
    } else {
      put(out, 0, 12);
    }
    put(out, payload);
    return out;
  }

  Bytes bytes() const {
    const auto source = IpAddress::parse(from.address), destination = IpAddress::parse(to.address);
    Bytes out(12, 2);
    for (const std::uint16_t tag : tags)
      put(out, tag, 2), put(out, 7, 2);
    const Bytes body = transport();
    if (source->is_v4()) {
      const unsigned header = 20 + ip_options;
      put(out, 0x0800, 2);
      put(out, 0x40 | header / 4, 1), put(out, 0, 1), put(out, header + body.size(), 2);
      put(out, 1, 2), put(out, fragment, 2), put(out, 64, 1), put(out, protocol, 1);
      put(out, 0, 2), put(out, source->v4_value(), 4), put(out, destination->v4_value(), 4);
      out.insert(out.end(), ip_options, 1);  // no operation
    } else {
      put(out, 0x86dd, 2);
      put(out, 0x60000000, 4), put(out, body.size() + 8 * extensions.size(), 2);
      put(out, extensions.empty() ? protocol : extensions[0], 1), put(out, 64, 1);
      out.insert(out.end(), source->bytes().begin(), source->bytes().end());
      out.insert(out.end(), destination->bytes().begin(), destination->bytes().end());
      for (std::size_t i = 0; i < extensions.size(); ++i) {
        put(out, i + 1 < extensions.size() ? extensions[i + 1] : protocol, 1);
        put(out, 0, 7);
      }
    }
    put(out, body);
    return out;
  }

  // The same flow, the other way.
  Frame back() const {
    Frame other = *this;
    std::swap(other.from, other.to);
    return other;
  }
};

}  // namespace beaconry::test_frames
