#include "escape/targets.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

PortGrid grid(const Scope& scope) {
  return {scope,
          scope.cycle == CycleKind::long_cycle ? PortGrid::Ports::all : PortGrid::Ports::common};
}

TargetCount count(const Scope& scope) {
  const std::uint64_t targets = grid(scope).count();
  return {targets, targets == 0 ? kNoFamily : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return grid(scope).at(index);
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
