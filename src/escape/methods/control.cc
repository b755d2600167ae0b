#include "escape/places.h"
#include "escape/tcp_talk.h"

namespace beaconry {
namespace {

std::vector<Target> targets(const Scope& scope) {
  const auto& control = scope.config.control;
  if (!control) return {};
  return {{control->destination, control->port, 0, {}}};
}

TargetCount count(const Scope& scope) {
  const auto& control = scope.config.control;
  if (!control) return {0, "no positive control is configured"};
  const auto own = scope.segment.own_for(control->destination);
  if (!own) return {0, kNoAddress};
  if (control->tcp && own->kernel_owned) {
    return {0, "it is to go by TCP, and the kernel owns the address and would reset it"};
  }
  return {1, {}};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const auto& control = wire.scope().config.control;
  if (control && control->tcp) return std::make_unique<TcpTalk>();
  send_datagram(wire, wire.ping());
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method control{
    .id = MethodId::control,
    .words =
        "the positive control: a ping over a path that is meant to be open, at its own interval, "
        "so "
        "that silence means that nothing leaks",
    .risk = Risk::none,
    .danger = "none: one small message to the destination that was configured for it",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
