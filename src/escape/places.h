#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "escape/targets.h"

namespace beaconry {

// More lists that methods choose their targets from, and how they send to them. As those of
// targets.h they are made anew at each call: what the segment knows changes between tries.

// Home as pings name it where somebody else is to reach it for us: its first address, or ::.
IpAddress home_by_name(const Scope& scope);
// Who may pass something on for us: gateways, then the neighbours that the profile allows.
std::vector<IpAddress> relays(const Scope& scope);
// The segment's resolvers, then gateways that nobody named as such: they often resolve as well.
// With the profile ot, which sends no dns-broadcast, the listed neighbours too.
std::vector<IpAddress> resolvers(const Scope& scope);
// Why no ping can stand in a name below home's zone; empty where it can.
std::string why_no_name(const Scope& scope);
// Our first address of the family; of IPv6 a link-local one comes first if it is to reach a group
// of the link.
std::optional<Segment::OwnAddress> own_of(const Scope& scope, bool v4);

// Each of home's reachable addresses at each of these ports.
std::vector<Target> homes_at(const Scope& scope, std::span<const std::uint16_t> ports);
// The broadcast address of our network; none where it is too small to have one.
std::optional<IpAddress> directed_broadcast(const Segment::OwnAddress& own);

// One datagram to home itself and to each relay: `via` is the relay, :: for home.
std::vector<Target> home_and_relays(const Scope& scope, std::uint16_t port);
// Where a datagram for such a target goes.
inline IpAddress next_stop(const Target& target) {
  return target.via.is_unspecified() ? target.destination : target.via;
}
// A datagram from a port of ours to the target's port at next_stop(). False: no address to speak
// from.
bool send_datagram(Wire& wire, ByteView payload);

// Each of these groups of whose family we have an address, once with each variant.
std::vector<Target> groups_at(const Scope& scope, std::span<const std::string_view> groups,
                              std::uint16_t port, std::span<const std::uint8_t> variants);
// To a group or to everybody: 224.0.0.251, ff02::fb, 255.255.255.255, a network's broadcast. The
// Ethernet address follows from the group, whatever the routes say. False: no address.
bool send_to_group(Wire& wire, const IpAddress& group, std::uint16_t from, std::uint16_t to,
                   ByteView payload, std::uint8_t ttl);
// The words for that.
constexpr const char* kNoAddress = "no address of ours to speak from";
MacAddress group_mac(const IpAddress& group);

}  // namespace beaconry
