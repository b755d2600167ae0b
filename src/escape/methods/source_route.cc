#include "escape/targets.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

// Variants: RFC 791's loose and strict route, RFC 2460's routing header of type 0.
enum : std::uint8_t { kLoose = 0, kStrict = 1, kRoutingHeader = 2 };
constexpr std::uint16_t kPort = 443;

std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> all;
  const auto add = [&](const IpAddress& home, std::uint8_t variant, const IpAddress& hop) {
    all.push_back({.destination = home, .port = kPort, .variant = variant, .via = hop});
  };
  if (const auto home = scope.home_v4()) {
    for (const IpAddress& hop : hosts_of_family(scope, true, true)) {
      add(*home, kLoose, hop);
      add(*home, kStrict, hop);
    }
  }
  if (const auto home = scope.home_v6()) {
    for (const IpAddress& hop : hosts_of_family(scope, false, true))
      add(*home, kRoutingHeader, hop);
  }
  return all;
}

TargetCount count(const Scope& scope) {
  if (reachable_homes(scope).empty()) return {0, kNoFamily};
  const std::uint64_t all = targets(scope).size();
  return {all, all == 0 ? "no neighbour or gateway may be routed through" : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

Bytes by_option(const IpAddress& source, const Target& to, ByteView datagram) {
  Ipv4Header header;
  header.source = source;
  header.destination = to.via;
  header.protocol = kProtocolUdp;
  header.options = {1,  // no operation, so that addresses are aligned
                    static_cast<std::uint8_t>(to.variant == kLoose ? 131 : 137), 7, 4};
  const auto& home = to.destination.bytes();
  header.options.insert(header.options.end(), home.begin() + 12, home.end());
  return ipv4(header, datagram);
}

Bytes by_header(const IpAddress& source, const Target& to, ByteView datagram) {
  Bytes extension{kProtocolUdp, 2, 0, 1, 0, 0, 0, 0};  // one address, not visited yet
  extension.insert(extension.end(), to.destination.bytes().begin(), to.destination.bytes().end());
  extension.insert(extension.end(), datagram.begin(), datagram.end());
  constexpr std::uint8_t kRouting = 43;
  return ip(source, to.via, kRouting, extension);
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const auto source = wire.source_for(to.destination);
  if (!source || to.via.is_unspecified()) return nullptr;
  const Bytes ping = wire.ping();
  // The checksum is of the last destination: RFC 1122 §4.1.3.4, RFC 8200 §8.1.
  const Bytes datagram = udp(*source, to.destination, wire.claim_port(kProtocolUdp), to.port, ping);
  wire.send_ip_via(to.variant == kRoutingHeader ? by_header(*source, to, datagram)
                                                : by_option(*source, to, datagram),
                   to.via);
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method source_route{
    .id = MethodId::source_route,
    .words =
        "a datagram that names each neighbour and gateway as a hop of its route (LSRR, SSRR, "
        "IPv6 routing header 0): one-way",
    .risk = Risk::medium,
    .danger = "old devices are known to fail on IP options; detectors report source routes",
    .traits = kSourceRouted | kToNeighbour,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
