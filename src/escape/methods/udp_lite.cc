#include "escape/targets.h"

namespace beaconry {
namespace {

constexpr std::uint8_t kProtocolUdpLite = 136;

PortGrid grid(const Scope& scope) {
  return {scope,
          scope.cycle == CycleKind::long_cycle ? PortGrid::Ports::common : PortGrid::Ports::few};
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
  const std::uint16_t port = wire.claim_port(kProtocolUdpLite);
  wire.send_ip(ip(*source, to.destination, kProtocolUdpLite,
                  beaconry::udp_lite(*source, to.destination, port, to.port, ping)));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method udp_lite{
    .id = MethodId::udp_lite,
    .words =
        "a UDP-Lite datagram (protocol 136): one-way past rules that name only UDP and TCP; "
        "often beside the NAT",
    .risk = Risk::none,
    .danger = "none: one small packet of a rare protocol",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
