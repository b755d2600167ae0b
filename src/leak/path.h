#pragma once
#include <cstdint>
#include <string>

#include "leak/leak.h"
#include "ping/observation.h"

namespace beaconry {

// The way that a ping took, from what home saw of it alone.
struct PathFacts {
  PathKind kind = PathKind::direct;
  bool ipv6 = false;  // of the probe's side
  IpAddress via;      // of a bounce token: 0.0.0.N
};
PathFacts decide_path(const Observation& seen);

// What makes a leak one: probe, method, family, kind of path, and the place on it that one would
// have to mend: the neighbour, resolver or proxy that was asked, or else the network that it came
// out of. Bounces are told apart by the neighbour's last byte, which is all that a token holds.
std::uint64_t leak_number(const Observation& seen, const PathFacts& path);
std::string leak_id(std::uint64_t number);

// 10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, fc00::/7, …: no address of the Internet.
bool is_inside_address(const IpAddress& address);
// The /24 or /48 of an address.
IpAddress outer_network(const IpAddress& address);
bool is_bounce(const Observation& seen);  // its ports are a token's, and no ports of a leak
// The protocol of the packet that an ICMP error quotes, from `raw`; 0: none can be read there.
std::uint8_t quoted_protocol(const Observation& seen);
// Whether the network itself may make two of one try, so that the second is another way out. Of
// other methods' pings a second one is a retransmission, or somebody's who repeats what he heard.
bool may_multiply(const Observation& seen);
// Whether a cache or a queue on the way may give it out again, or late.
bool may_be_kept(const Observation& seen);
// The port that an operator would close; 0: none.
std::uint16_t port_of(const Observation& seen);
std::uint8_t last_byte(const IpAddress& address);

}  // namespace beaconry
