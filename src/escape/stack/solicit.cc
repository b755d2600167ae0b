#include "escape/stack/solicit.h"

#include "escape/stack/frame.h"

namespace beaconry {
namespace {

constexpr std::uint8_t kHopLimit = 255;
constexpr std::uint32_t kSolicited = 0x40000000, kOverride = 0x20000000;

const IpAddress& all_nodes() {
  static const IpAddress address = *IpAddress::parse("ff02::1");
  return address;
}

Bytes discovery(const MacAddress& to, const MacAddress& ours, const IpAddress& source,
                const IpAddress& destination, std::uint8_t type, std::uint32_t rest,
                const Bytes& body) {
  return ethernet(to, ours, kEtherIpv6,
                  ip(source, destination, kProtocolIcmpv6,
                     icmpv6(source, destination, type, 0, rest, body), kHopLimit));
}

void put_mac(Bytes& body, std::uint8_t option, const MacAddress& mac) {
  body.insert(body.end(), {option, 1});
  body.insert(body.end(), mac.bytes.begin(), mac.bytes.end());
}

}  // namespace

Bytes ask_for_mac(const MacAddress& ours, const IpAddress& own, const IpAddress& target) {
  if (target.is_v4()) {
    const IpAddress sender = own.is_v4() ? own : IpAddress::v4(0);
    return ethernet(MacAddress::broadcast(), ours, kEtherArp, arp(1, ours, sender, {}, target));
  }
  const bool unset = own.is_v4() || is_unset(own);
  const IpAddress group = solicited_node(target);
  Bytes body(target.bytes().begin(), target.bytes().end());
  if (!unset) put_mac(body, 1, ours);
  return discovery(multicast_mac(group), ours, unset ? IpAddress() : own, group,
                   kNeighbourSolicitation, 0, body);
}

Bytes neighbour_advertisement(const MacAddress& ours, const IpAddress& own,
                              const MacAddress& to_mac, const IpAddress& to) {
  Bytes body(own.bytes().begin(), own.bytes().end());
  put_mac(body, 2, ours);
  if (is_unset(to)) {
    return discovery(multicast_mac(all_nodes()), ours, own, all_nodes(), kNeighbourAdvertisement,
                     kOverride, body);
  }
  return discovery(to_mac, ours, own, to, kNeighbourAdvertisement, kSolicited | kOverride, body);
}

Bytes router_solicitation(const MacAddress& ours) {
  static const IpAddress all_routers = *IpAddress::parse("ff02::2");
  return discovery(multicast_mac(all_routers), ours, IpAddress(), all_routers, kRouterSolicitation,
                   0, {});
}

}  // namespace beaconry
