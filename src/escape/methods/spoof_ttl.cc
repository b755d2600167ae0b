#include <array>

#include "escape/packet_forms.h"
#include "escape/targets.h"

namespace beaconry {
namespace {

// Variants are numbers of Form.
std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> all;
  for (const bool v4 : {true, false}) {
    const auto home = home_address(scope, v4);
    if (!home) continue;
    std::vector<IpAddress> hops = possible_routers(scope, v4, false);
    for (const IpAddress& gateway : scope.segment.gateways()) {
      if (gateway.is_v4() == v4) hops.push_back(gateway);
    }
    for (const IpAddress& hop : hops) {
      for (const Form form : {Form::udp, Form::tcp_syn, Form::echo}) {
        all.push_back({.destination = *home,
                       .port = static_cast<std::uint16_t>(form == Form::tcp_syn ? 443 : 0),
                       .variant = static_cast<std::uint8_t>(form),
                       .via = hop});
      }
    }
  }
  return all;
}

TargetCount count(const Scope& scope) {
  const std::uint64_t all = targets(scope).size();
  return {all, all == 0 ? "no gateway, and no neighbour that may be sent to, is known" : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

// A neighbour of home's: routed as home is, while a packet from home to itself would be dropped as
// forged. It never gets there.
IpAddress beside(const IpAddress& home) {
  std::array<std::uint8_t, 16> bytes = home.bytes();
  std::uint8_t& last = bytes.back();
  last = static_cast<std::uint8_t>(last ^ 1);
  if (last == 0 || last == 255) last = static_cast<std::uint8_t>(last ^ 3);  // network, broadcast
  return IpAddress::v6_bytes(bytes.data());
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  if (to.via.is_unspecified()) return nullptr;
  const Form form = static_cast<Form>(to.variant);
  const Bytes data = wire.ping();
  wire.send_ip_via(token_packet(wire, BounceForm::time_exceeded, form, to.destination,
                                beside(to.destination), to.via, to.port, 1, data),
                   to.via);
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method spoof_ttl{
    .id = MethodId::spoof_ttl,
    .words =
        "a packet with home as its source and one hop to live, through each neighbour and "
        "gateway: who forwards tells home that its time was exceeded",
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
