#include "escape/ip_protocols.h"
#include "escape/targets.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

// Variants. Filters that look no further than IPv6's first next header see no UDP in the first
// three; the next two put IPv6 into IPv4; the last two are for routers that only advertise
// themselves.
enum : std::uint8_t {
  kHopByHop = 0,
  kDestinationOptions = 1,
  kAuthentication = 2,
  kSixInFour = 3,
  kTeredo = 4,
  kRouterUdp = 5,
  kRouterEcho = 6,
};
constexpr std::uint8_t kProtocolIpv6InIp = 41;
constexpr std::uint16_t kPort = 443, kTeredoPort = 3544;

std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> all;
  const auto add = [&](const IpAddress& home, std::uint16_t port, std::uint8_t variant,
                       const IpAddress& via = {}) {
    all.push_back({.destination = home, .port = port, .variant = variant, .via = via});
  };
  if (const auto home = scope.home_v6()) {
    for (const std::uint8_t variant : {kHopByHop, kDestinationOptions, kAuthentication})
      add(*home, kPort, variant);
    for (const IpAddress& router : other_gateways(scope, false)) {
      add(*home, kPort, kRouterUdp, router);
      add(*home, 0, kRouterEcho, router);
    }
  }
  if (const auto home = scope.home_v4()) {
    add(*home, 0, kSixInFour);
    add(*home, kTeredoPort, kTeredo);
  }
  return all;
}

TargetCount count(const Scope& scope) {
  const std::uint64_t all = targets(scope).size();
  return {all, all == 0 ? kNoFamily : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const auto source = wire.source_for(to.destination);
  if (!source) return nullptr;
  const Bytes ping = wire.ping();
  const auto datagram = [&](ByteView data) {
    return udp(*source, to.destination, wire.claim_port(kProtocolUdp), to.port, data);
  };
  // UDP behind one extension header.
  const auto behind = [&](std::uint8_t header, Bytes extension) {
    const Bytes rest = datagram(ping);
    extension.insert(extension.end(), rest.begin(), rest.end());
    return ip(*source, to.destination, header, extension);
  };
  switch (to.variant) {
    case kHopByHop:  // padding; RFC 8200 §4.3
      wire.send_ip(behind(0, {kProtocolUdp, 0, 1, 4, 0, 0, 0, 0}));
      break;
    case kDestinationOptions:
      wire.send_ip(behind(60, {kProtocolUdp, 0, 1, 4, 0, 0, 0, 0}));
      break;
    case kAuthentication:  // RFC 4302, of an association that nobody has
      wire.send_ip(behind(51, {kProtocolUdp,
                               4,
                               0,
                               0,
                               1,
                               0,
                               0,
                               1,
                               0,
                               0,
                               0,
                               1,  //
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0,
                               0}));
      break;
    case kSixInFour:  // RFC 4213
      wire.send_ip(
          ip(*source, to.destination, kProtocolIpv6InIp,
             protocol_payload(kProtocolIpv6InIp, *source, to.destination, wire.random(), ping)));
      break;
    case kTeredo:  // RFC 4380: the IPv6 packet in a datagram
      wire.send_ip(ip(*source, to.destination, kProtocolUdp,
                      datagram(protocol_payload(kProtocolIpv6InIp, *source, to.destination,
                                                wire.random(), ping))));
      break;
    case kRouterUdp:
      wire.send_ip_via(ip(*source, to.destination, kProtocolUdp, datagram(ping)), to.via);
      break;
    case kRouterEcho:
      wire.send_ip_via(ip(*source, to.destination, kProtocolIcmpv6,
                          icmpv6(*source, to.destination, 128, 0, wire.random(), ping)),
                       to.via);
      break;
    default:
      break;
  }
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method ipv6_forms{
    .id = MethodId::ipv6_forms,
    .words =
        "UDP behind IPv6 extension headers, IPv6 in IPv4 (protocol 41, Teredo's port), and "
        "IPv6 through every router that advertises itself: one-way",
    .risk = Risk::low,
    .danger = "some firewalls log extension headers; a router gets a packet for another network",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
