#include "escape/targets.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

constexpr std::uint8_t kTcpPush = 0x08, kTcpUrgent = 0x20;

// Variants are the flags. The first three are what filters of "established" let pass; those that no
// host sends are left to laboratories.
constexpr std::uint8_t kFlags[] = {kTcpAck | kTcpPush, kTcpFin | kTcpAck, kTcpSyn | kTcpAck,  //
                                   0, kTcpFin | kTcpPush | kTcpUrgent};
constexpr std::size_t kRegular = 3;

PortGrid grid(const Scope& scope) {
  const std::span<const std::uint8_t> flags = kFlags;
  return {scope,
          scope.cycle == CycleKind::long_cycle ? PortGrid::Ports::common : PortGrid::Ports::few,
          scope.config.profile == Profile::lab ? flags : flags.first(kRegular)};
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
  wire.send_ip(
      ip(*source, to.destination, kProtocolTcp, tcp(*source, to.destination, header, ping)));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method tcp_ack{
    .id = MethodId::tcp_ack,
    .words =
        "TCP data with ACK, FIN or SYN-ACK and without a connection (lab: no flags, all "
        "flags): one-way, a filter without state",
    .risk = Risk::low,
    .danger = "a firewall may log packets of no connection; home's host may answer with a reset",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
