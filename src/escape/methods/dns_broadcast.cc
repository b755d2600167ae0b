#include "escape/dns_talk.h"
#include "escape/places.h"

namespace beaconry {
namespace {

constexpr std::uint8_t kAllNodes[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

// The variant is the question's type, as of dns; whom it goes to follows from the rest:
//   255.255.255.255 and the network's own broadcast, by Ethernet broadcast
//   home's IPv4 address by Ethernet broadcast: for who takes DNS for himself, whosever it is
//   ff02::1
//   each neighbour's own address, as `via`
std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> list;
  const auto add = [&](const IpAddress& to, const IpAddress& via) {
    list.push_back({to, kDnsPort, kDnsTxt, via});
    // What forwarders surely pass on, where TXT says more.
    if (scope.cycle == CycleKind::long_cycle) list.push_back({to, kDnsPort, kDnsAaaa, via});
  };
  if (const auto own = own_of(scope, true)) {
    add(IpAddress::v4(0xffffffff), {});
    if (const auto all = directed_broadcast(*own)) add(*all, {});
    if (const auto home = scope.home_v4()) add(*home, {});
  }
  if (own_of(scope, false)) add(IpAddress::v6_bytes(kAllNodes), {});
  for (const Segment::Neighbour& neighbour : scope.allowed_neighbours()) {
    if (scope.segment.own_for(neighbour.address)) add(home_by_name(scope), neighbour.address);
  }
  return list;
}

TargetCount count(const Scope& scope) {
  if (std::string why = why_no_name(scope); !why.empty()) return {0, std::move(why)};
  const std::uint64_t number = targets(scope).size();
  return {number, number == 0 ? "no address to ask from" : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
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
    .words =
        "the dns question to everybody (Ethernet and IP broadcast, ff02::1) and to each "
        "neighbour: one that nobody named resolves for the outside",
    .risk = Risk::low,
    .danger = "every host of the segment receives a few broadcasts to UDP port 53",
    .traits = kBroadcast,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
