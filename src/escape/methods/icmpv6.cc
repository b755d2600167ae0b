#include "escape/targets.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

// Variants are the types: echo, its reply, and one for experiments (RFC 4443 §2.1), which a filter
// of RFC 4890 drops. The long cycle adds informational types that no host on the way acts upon:
// node information, home agent discovery, extended echo (RFC 8335), experiments.
constexpr std::uint8_t kTypes[] = {128, 129, 200, 139, 140, 144, 145, 160, 161, 201};
constexpr std::size_t kCommonTypes = 3;

std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> all;
  const auto home = scope.home_v6();
  if (!home) return all;
  const std::span<const std::uint8_t> types = kTypes;
  for (const std::uint8_t type :
       scope.cycle == CycleKind::long_cycle ? types : types.first(kCommonTypes)) {
    all.push_back({.destination = *home, .port = 0, .variant = type, .via = {}});
  }
  return all;
}

TargetCount count(const Scope& scope) {
  const std::uint64_t all = targets(scope).size();
  return {all, all == 0 ? "no IPv6 address of home or of ours" : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const auto source = wire.source_for(to.destination);
  if (!source) return nullptr;
  const Bytes ping = wire.ping();
  wire.send_ip(ip(*source, to.destination, kProtocolIcmpv6,
                  beaconry::icmpv6(*source, to.destination, to.variant, 0, wire.random(), ping)));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method icmpv6{
    .id = MethodId::icmpv6,
    .words =
        "ICMPv6 echo, unsolicited echo reply and an experimental type with data (long cycle: "
        "7 types more): one-way, two-way by home's own answer",
    .risk = Risk::none,
    .danger = "none: as ping, one packet each",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
