#include "escape/packet_forms.h"
#include "escape/places.h"

namespace beaconry {
namespace {

// Where nobody else listens; the peer hears it on its way to any port.
constexpr std::uint16_t kDatagramPort = 20'713, kSynPort = 443;

std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> list;
  for (const Peer& peer : scope.config.peers) {
    if (!scope.segment.own_for(peer.address)) continue;
    for (const Form form : {Form::udp, Form::echo, Form::tcp_syn}) {
      const std::uint16_t port = form == Form::udp    ? kDatagramPort
                                 : form == Form::echo ? std::uint16_t{0}
                                                      : kSynPort;
      list.push_back({peer.address, port, static_cast<std::uint8_t>(form), {}});
    }
  }
  return list;
}

TargetCount count(const Scope& scope) {
  if (scope.config.peers.empty()) return {0, "no peers are configured"};
  const std::uint64_t number = targets(scope).size();
  return {number, number == 0 ? "no address of any peer's family" : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

// The wire seals the ping with the key of the peer that is its destination.
std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const auto source = wire.source_for(to.destination);
  if (!source) return nullptr;
  const auto form = static_cast<Form>(to.variant);
  const Bytes ping = wire.ping();
  wire.send_ip(form_packet(form, fresh_fields(wire, form, *source, to.destination, to.port), ping));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method zone{
    .id = MethodId::zone,
    .words =
        "a ping to each other probe by UDP, echo and a SYN with data: which zones reach each other",
    .risk = Risk::none,
    .danger = "none: three small packets to each peer",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
