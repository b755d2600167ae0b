#include "escape/method.h"

namespace beaconry {
namespace {

constexpr std::uint64_t kAllPorts = 65'535;

// The ports of home's IPv4 address, then those of its IPv6 address.
std::uint64_t ports_each(const Scope& scope) {
  return scope.cycle == CycleKind::long_cycle ? kAllPorts : scope.common_ports().size();
}

TargetCount count(const Scope& scope) {
  const std::uint64_t families = (scope.home_v4() ? 1 : 0) + (scope.home_v6() ? 1 : 0);
  if (families == 0) return {0, "no address of home's family"};
  return {families * ports_each(scope), {}};
}

Target target(const Scope& scope, std::uint64_t index) {
  const std::uint64_t each = ports_each(scope);
  const auto v4 = scope.home_v4(), v6 = scope.home_v6();
  Target target;
  target.destination = index < each && v4 ? *v4 : v6.value_or(v4.value_or(IpAddress{}));
  const std::uint64_t at = index % each;
  target.port = scope.cycle == CycleKind::long_cycle ? static_cast<std::uint16_t>(at + 1)
                                                     : scope.common_ports()[at];
  return target;
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const auto source = wire.source_for(to.destination);
  if (!source) return nullptr;
  const Bytes ping = wire.ping();
  const std::uint16_t port = wire.claim_port(kProtocolUdp);
  wire.send_ip(
      ip(*source, to.destination, kProtocolUdp, udp(*source, to.destination, port, to.port, ping)));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method udp_port{
    .id = MethodId::udp_port,
    .words = "a datagram to every port of home: one-way, and two-way if home's answer comes back",
    .risk = Risk::none,
    .danger = "none: one small datagram to the gateway",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
