#pragma once
#include <cstdint>

#include "base/ip_address.h"
#include "packet/craft.h"

namespace beaconry {

// What a packet of an IP protocol carries: `data` behind just enough of that protocol's header that
// devices on the way, which may look into it, take it for one: its checksum is right and nothing
// in it asks anybody to do anything. Protocols without a header here carry the data alone. `random`
// fills numbers that must not be zero. Both addresses are of one family.
Bytes protocol_payload(std::uint8_t protocol, const IpAddress& source, const IpAddress& destination,
                       std::uint32_t random, ByteView data);

// IPv6 through IPv4 (RFC 3056): the 2002::/16 address of an IPv4 one. As inner addresses of tunnels
// where nobody has others.
IpAddress six_to_four(const IpAddress& v4);

// RFC 3309
std::uint32_t crc32c(ByteView bytes);

}  // namespace beaconry
