#include "escape/packet_forms.h"
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
  wire.send_ip(form_packet(
      Form::tcp_syn, fresh_fields(wire, Form::tcp_syn, *source, to.destination, to.port), ping));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method tcp_syn{
    .id = MethodId::tcp_syn,
    .words =
        "a TCP SYN with data to every port of home: one-way, even where no handshake is let "
        "through",
    .risk = Risk::low,
    .danger = "data in a SYN is allowed (RFC 9293) but rare: a firewall may log it",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
