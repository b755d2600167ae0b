#pragma once
#include <optional>
#include <vector>

#include "escape/method.h"

namespace beaconry {

// The lists that methods choose their targets from. They are made anew at each call: what the
// segment knows changes between tries.

// Home's addresses that we have an address to speak to, IPv4 first.
std::vector<IpAddress> reachable_homes(const Scope& scope);
// Home as pings name it where somebody else is to reach it for us: its first address, or ::.
IpAddress home_by_name(const Scope& scope);
// Who may pass something on for us: gateways, then the neighbours that the profile allows.
std::vector<IpAddress> relays(const Scope& scope);
// The segment's resolvers, then gateways that nobody named as such: they often resolve as well.
std::vector<IpAddress> resolvers(const Scope& scope);
// Why no ping can stand in a name below home's zone; empty where it can.
std::string why_no_name(const Scope& scope);
// Our first address of the family; of IPv6 a link-local one comes first if it is to reach a group
// of the link.
std::optional<Segment::OwnAddress> own_of(const Scope& scope, bool v4);

// One datagram to home itself and to each relay: `via` is the relay, :: for home.
std::vector<Target> home_and_relays(const Scope& scope, std::uint16_t port);
// Where a datagram for such a target goes.
inline IpAddress next_stop(const Target& target) {
  return target.via.is_unspecified() ? target.destination : target.via;
}
// A datagram from a port of ours to the target's port at next_stop(). False: no address to speak
// from.
bool send_datagram(Wire& wire, ByteView payload);

// To a group or to everybody: 224.0.0.251, ff02::fb, 255.255.255.255, a network's broadcast. The
// Ethernet address follows from the group, whatever the routes say. False: no address.
bool send_to_group(Wire& wire, const IpAddress& group, std::uint16_t from, std::uint16_t to,
                   ByteView payload, std::uint8_t ttl);
MacAddress group_mac(const IpAddress& group);

}  // namespace beaconry
