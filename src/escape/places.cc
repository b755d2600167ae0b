#include "escape/places.h"

#include <algorithm>

namespace beaconry {
namespace {

void add_new(std::vector<IpAddress>& list, const IpAddress& address) {
  if (std::find(list.begin(), list.end(), address) == list.end()) list.push_back(address);
}

// What a ping with three IPv6 addresses comes to as text, in labels.
constexpr std::size_t kMostText =
    kPingTextMagic.size() + ((1 + 24 + 16 + kShortestPing + 3 * 16) * 8 + 4) / 5;
constexpr std::size_t kMostLabels = (kMostText + kLongestLabel - 1) / kLongestLabel;
constexpr std::size_t kLongestZone = 253 - kMostText - kMostLabels;

}  // namespace

IpAddress home_by_name(const Scope& scope) {
  const auto& addresses = scope.config.home.addresses;
  return addresses.empty() ? IpAddress{} : addresses.front();
}

std::vector<IpAddress> relays(const Scope& scope) {
  std::vector<IpAddress> list;
  for (const IpAddress& gateway : scope.segment.gateways()) {
    if (scope.segment.own_for(gateway)) add_new(list, gateway);
  }
  for (const Segment::Neighbour& neighbour : scope.allowed_neighbours()) {
    if (scope.segment.own_for(neighbour.address)) add_new(list, neighbour.address);
  }
  return list;
}

std::vector<IpAddress> resolvers(const Scope& scope) {
  std::vector<IpAddress> list;
  for (const auto* known : {&scope.segment.resolvers(), &scope.segment.gateways()}) {
    for (const IpAddress& address : *known) {
      if (scope.segment.own_for(address)) add_new(list, address);
    }
  }
  if (scope.config.profile != Profile::ot) return list;
  for (const Segment::Neighbour& neighbour : scope.allowed_neighbours()) {
    if (scope.segment.own_for(neighbour.address)) add_new(list, neighbour.address);
  }
  return list;
}

std::string why_no_name(const Scope& scope) {
  const std::string& zone = scope.config.home.zone;
  if (zone.empty()) return "no DNS zone of home is configured";
  if (zone.size() > kLongestZone) {
    return "the name of home's DNS zone is longer than " + std::to_string(kLongestZone) +
           " characters: a ping does not fit before it";
  }
  return {};
}

std::optional<Segment::OwnAddress> own_of(const Scope& scope, bool v4) {
  std::optional<Segment::OwnAddress> chosen;
  for (const Segment::OwnAddress& own : scope.segment.own()) {
    if (own.address.is_v4() != v4) continue;
    if (!chosen || (!v4 && own.link_local && !chosen->link_local)) chosen = own;
  }
  return chosen;
}

std::optional<IpAddress> directed_broadcast(const Segment::OwnAddress& own) {
  if (!own.address.is_v4() || own.prefix_length < 8 || own.prefix_length > 30) return std::nullopt;
  return IpAddress::v4(own.address.v4_value() | 0xffffffffU >> own.prefix_length);
}

std::vector<Target> homes_at(const Scope& scope, std::span<const std::uint16_t> ports) {
  std::vector<Target> targets;
  for (const IpAddress& home : reachable_homes(scope)) {
    for (const std::uint16_t port : ports)
      targets.push_back({home, port, 0, {}});
  }
  return targets;
}

std::vector<Target> home_and_relays(const Scope& scope, std::uint16_t port) {
  std::vector<Target> targets;
  for (const IpAddress& home : reachable_homes(scope)) {
    targets.push_back({home, port, 0, {}});
  }
  for (const IpAddress& relay : relays(scope)) {
    targets.push_back({home_by_name(scope), port, 0, relay});
  }
  return targets;
}

std::vector<Target> groups_at(const Scope& scope, std::span<const std::string_view> groups,
                              std::uint16_t port, std::span<const std::uint8_t> variants) {
  std::vector<Target> targets;
  for (const std::string_view text : groups) {
    const auto group = IpAddress::parse(text);
    if (!group || !own_of(scope, group->is_v4())) continue;
    for (const std::uint8_t variant : variants)
      targets.push_back({*group, port, variant, {}});
  }
  return targets;
}

bool send_datagram(Wire& wire, ByteView payload) {
  const Target& target = wire.current().target;
  const IpAddress to = next_stop(target);
  const auto source = wire.source_for(to);
  if (!source) return false;
  const std::uint16_t port = wire.claim_port(kProtocolUdp);
  wire.send_ip(ip(*source, to, kProtocolUdp, udp(*source, to, port, target.port, payload)));
  return true;
}

bool send_to_group(Wire& wire, const IpAddress& group, std::uint16_t from, std::uint16_t to,
                   ByteView payload, std::uint8_t ttl) {
  const auto own = own_of(wire.scope(), group.is_v4());
  if (!own) return false;
  const Bytes datagram = udp(own->address, group, from, to, payload);
  const Bytes packet = ip(own->address, group, kProtocolUdp, datagram, ttl);
  wire.send_frame(
      ethernet(group_mac(group), wire.mac(), group.is_v4() ? kEtherIpv4 : kEtherIpv6, packet));
  return true;
}

MacAddress group_mac(const IpAddress& group) {
  const auto& bytes = group.bytes();
  if (!group.is_multicast()) return MacAddress::broadcast();
  if (group.is_v4()) {  // RFC 1112 §6.4: the low 23 bits
    return {{0x01, 0x00, 0x5e, static_cast<std::uint8_t>(bytes[13] & 0x7f), bytes[14], bytes[15]}};
  }
  return {{0x33, 0x33, bytes[12], bytes[13], bytes[14], bytes[15]}};  // RFC 2464 §7
}

}  // namespace beaconry
