#include "escape/targets.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

// Variants are the flags. Both end connections: filters that keep no state, and some that do, take
// them for the end of one that was allowed.
constexpr std::uint8_t kFlags[] = {kTcpRst, kTcpRst | kTcpAck};

PortGrid grid(const Scope& scope) {
  return {scope,
          scope.cycle == CycleKind::long_cycle ? PortGrid::Ports::common : PortGrid::Ports::few,
          kFlags};
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
  TcpHeader header;
  header.source_port = wire.claim_port(kProtocolTcp);
  header.destination_port = to.port;
  header.sequence = wire.random();
  if ((to.variant & kTcpAck) != 0) header.acknowledgement = wire.random();
  header.flags = to.variant;
  header.window = 0;
  wire.send_ip(
      ip(*source, to.destination, kProtocolTcp, tcp(*source, to.destination, header, ping)));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method tcp_rst{
    .id = MethodId::tcp_rst,
    .words =
        "a TCP reset with data and without a connection: one-way, a hole in state tracking; "
        "often passes beside the NAT with its inside address",
    .risk = Risk::low,
    .danger = "none to others: it ends no connection, as its ports are the probe's own",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
