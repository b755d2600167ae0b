#include "escape/ip_protocols.h"
#include "escape/targets.h"

namespace beaconry {
namespace {

// Those that networks let out most often: multicast and routing, tunnels, IPsec, redundancy, SCTP,
// and the numbers for experiments. The long cycle tries all 256. The variant is the number.
constexpr std::uint8_t kCommon[] = {2,  4,  33,  41,  46,  47,  50,  51,  88,  89,  94,
                                    97, 99, 103, 108, 112, 115, 132, 137, 253, 254, 255};

TargetCount count(const Scope& scope) {
  const std::uint64_t homes = reachable_homes(scope).size();
  if (homes == 0) return {0, kNoFamily};
  return {homes * (scope.cycle == CycleKind::long_cycle ? 256 : std::size(kCommon)), {}};
}

Target target(const Scope& scope, std::uint64_t index) {
  const bool all = scope.cycle == CycleKind::long_cycle;
  const std::vector<IpAddress> homes = reachable_homes(scope);
  if (homes.empty()) return {};
  const std::uint64_t each = all ? 256 : std::size(kCommon);
  Target target;
  target.variant = all ? static_cast<std::uint8_t>(index % each) : kCommon[index % each];
  target.destination = homes[index / each % homes.size()];
  return target;
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const auto source = wire.source_for(to.destination);
  if (!source) return nullptr;
  const Bytes ping = wire.ping();
  wire.send_ip(ip(*source, to.destination, to.variant,
                  protocol_payload(to.variant, *source, to.destination, wire.random(), ping)));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method ip_proto{
    .id = MethodId::ip_proto,
    .words =
        "a packet of other IP protocols (IGMP, GRE, ESP, OSPF, SCTP, …; long cycle: all 256): "
        "one-way past rules that name only TCP, UDP and ICMP",
    .risk = Risk::low,
    .danger = "a router that snoops may log a routing or tunnel packet that is not for it",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
