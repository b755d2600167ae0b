#include "escape/packet_forms.h"
#include "escape/targets.h"
#include "escape/translated.h"

namespace beaconry {
namespace {

std::vector<IpAddress> translated_homes(const Scope& scope) {
  std::vector<IpAddress> all;
  const auto home = home_address(scope, true);
  if (!home) return all;
  for (const IpAddress& address : translated_forms(*home)) {
    const auto own = scope.segment.own_for(address);
    if (own && !own->address.is_v4()) all.push_back(address);
  }
  return all;
}

// Variants are numbers of Form.
std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> all;
  std::span<const std::uint16_t> ports = few_ports();
  if (scope.cycle == CycleKind::long_cycle) ports = scope.common_ports();
  for (const IpAddress& home : translated_homes(scope)) {
    const auto add = [&](Form form, std::uint16_t port) {
      all.push_back({.destination = home,
                     .port = port,
                     .variant = static_cast<std::uint8_t>(form),
                     .via = {}});
    };
    add(Form::echo, 0);
    for (const std::uint16_t port : ports) {
      add(Form::udp, port);
      add(Form::tcp_syn, port);
    }
  }
  return all;
}

TargetCount count(const Scope& scope) {
  const std::uint64_t all = targets(scope).size();
  return {all, all == 0 ? "no IPv4 address of home, or no IPv6 address of ours" : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const auto source = wire.source_for(to.destination);
  if (!source) return nullptr;
  const Form form = static_cast<Form>(to.variant);
  const Bytes ping = wire.ping();
  wire.send_ip(form_packet(form, fresh_fields(wire, form, *source, to.destination, to.port), ping));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method nat64{
    .id = MethodId::nat64,
    .words =
        "IPv6 to home's IPv4 address behind 64:ff9b::/96 and 64:ff9b:1::/48 (echo, UDP, TCP "
        "SYN): a translator that nobody thought of",
    .risk = Risk::none,
    .danger = "none: small packets to the gateway",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
