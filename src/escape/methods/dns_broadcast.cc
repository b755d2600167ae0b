#include <iterator>

#include "escape/dns_talk.h"
#include "escape/places.h"

namespace beaconry {
namespace {

// `variant` stays the question's type, as of dns; the form follows from the target:
//   255.255.255.255 or the network's own broadcast, by Ethernet broadcast
//   home's IPv4 address by Ethernet broadcast: whoever takes DNS for himself, whosever it was
//   ff02::1
//   a neighbour's own address, as `via`
std::vector<Target> places(const Scope& scope) {
  std::vector<Target> list;
  const auto v4 = own_of(scope, true), v6 = own_of(scope, false);
  if (v4) {
    list.push_back({IpAddress::v4(0xffffffff), kDnsPort, 0, {}});
    if (v4->prefix_length >= 8 && v4->prefix_length < 31) {
      const std::uint32_t hosts = 0xffffffffU >> v4->prefix_length;
      list.push_back({IpAddress::v4(v4->address.v4_value() | hosts), kDnsPort, 0, {}});
    }
    if (const auto home = scope.home_v4()) list.push_back({*home, kDnsPort, 0, {}});
  }
  if (v6) {
    constexpr std::uint8_t kAllNodes[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    list.push_back({IpAddress::v6_bytes(kAllNodes), kDnsPort, 0, {}});
  }
  for (const Segment::Neighbour& neighbour : scope.allowed_neighbours()) {
    if (!scope.segment.own_for(neighbour.address)) continue;
    list.push_back({home_by_name(scope), kDnsPort, 0, neighbour.address});
  }
  return list;
}

// TXT says the most; AAAA is what forwarders surely pass.
constexpr DnsType kTypes[] = {kDnsTxt, kDnsAaaa};
std::uint64_t types_each(const Scope& scope) {
  return scope.cycle == CycleKind::long_cycle ? std::size(kTypes) : 1;
}

TargetCount count(const Scope& scope) {
  if (std::string why = why_no_name(scope); !why.empty()) return {0, std::move(why)};
  const std::uint64_t number = places(scope).size();
  if (number == 0) return {0, "no address to ask from"};
  return {number * types_each(scope), {}};
}

Target target(const Scope& scope, std::uint64_t index) {
  const auto list = places(scope);
  const std::uint64_t at = index / types_each(scope);
  if (at >= list.size()) return {};
  Target target = list[at];
  target.variant = kTypes[index % types_each(scope)];
  return target;
}

bool send_to_neighbour(Wire& wire, std::uint16_t port, ByteView query) {
  const IpAddress& to = wire.current().target.via;
  const auto source = wire.source_for(to);
  if (!source) return false;
  wire.send_ip_via(ip(*source, to, kProtocolUdp, udp(*source, to, port, kDnsPort, query)), to);
  return true;
}

bool send_to_all(Wire& wire, std::uint16_t port, ByteView query) {
  const IpAddress& to = wire.current().target.destination;
  const auto own = own_of(wire.scope(), to.is_v4());
  if (!own) return false;
  const Bytes datagram = udp(own->address, to, port, kDnsPort, query);
  wire.send_frame(ethernet(group_mac(to), wire.mac(), to.is_v4() ? kEtherIpv4 : kEtherIpv6,
                           ip(own->address, to, kProtocolUdp, datagram)));
  return true;
}

std::unique_ptr<Conversation> run(Wire& wire) {
  if (!wire.current().target.via.is_unspecified()) {
    return std::make_unique<DnsTalk>(send_to_neighbour, DnsTalk::Answers::one);
  }
  return std::make_unique<DnsTalk>(send_to_all, DnsTalk::Answers::many);
}

}  // namespace

namespace methods {
extern constinit const Method dns_broadcast{
    .id = MethodId::dns_broadcast,
    .words = "the dns question to everybody (Ethernet and IP broadcast, ff02::1) and to each "
             "neighbour: one that nobody named resolves for the outside",
    .risk = Risk::low,
    .danger = "every host of the segment receives a few broadcasts to UDP port 53",
    .traits = kBroadcast | kToNeighbour,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
