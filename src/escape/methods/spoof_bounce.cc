#include "escape/packet_forms.h"
#include "escape/targets.h"

namespace beaconry {
namespace {

// Ports of a SYN: open or closed, both answer. A token that comes back from one port alone may be
// chance to the server, so that each cycle tries two at least. Variants are numbers of BounceForm.
constexpr std::uint16_t kSynPorts[] = {443, 22, 80, 135, 445, 3389, 8080};

std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> all;
  const std::span<const std::uint16_t> ports = kSynPorts;
  for (const bool v4 : {true, false}) {
    const auto home = home_address(scope, v4);
    if (!home) continue;
    for (const IpAddress& host : hosts_of_family(scope, v4, true)) {
      for (const BounceForm form : {BounceForm::echo, BounceForm::closed_port}) {
        all.push_back({.destination = *home,
                       .port = 0,
                       .variant = static_cast<std::uint8_t>(form),
                       .via = host});
      }
      for (const std::uint16_t port : scope.cycle == CycleKind::long_cycle ? ports : ports.first(2))
        all.push_back({.destination = *home,
                       .port = port,
                       .variant = static_cast<std::uint8_t>(BounceForm::syn),
                       .via = host});
    }
  }
  return all;
}

TargetCount count(const Scope& scope) {
  const std::uint64_t all = targets(scope).size();
  return {all, all == 0 ? "no neighbour or gateway of home's family may be sent to" : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  if (to.via.is_unspecified()) return nullptr;
  const BounceForm bounce = static_cast<BounceForm>(to.variant);
  Form form = Form::echo;
  Bytes data;  // a SYN's answer brings none back
  if (bounce == BounceForm::closed_port) form = Form::udp;
  if (bounce == BounceForm::syn) {
    form = Form::tcp_syn;
  } else {
    data = wire.ping();
  }
  wire.send_ip_via(
      token_packet(wire, bounce, form, to.destination, to.via, to.via, to.port, 64, data), to.via);
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method spoof_bounce{
    .id = MethodId::spoof_bounce,
    .words =
        "an echo, a datagram to a closed port and a SYN to each neighbour, with home as their "
        "source: its answer shows another way out, even of a host that forwards nothing",
    .risk = Risk::medium,
    .danger = "a source that is not ours: port security or an intrusion detector may act on it",
    .traits = kSpoofed | kToNeighbour,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
