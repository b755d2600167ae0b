#include <algorithm>
#include <array>

#include "escape/packet_forms.h"
#include "escape/targets.h"

namespace beaconry {
namespace {

constexpr std::size_t kShortHosts = 4, kLongHosts = 64;

// Those whose address may be trusted: heard on this segment, neither ours nor a gateway's. One of
// each last byte, as that is what the ping says of them.
std::vector<IpAddress> hosts(const Scope& scope, bool v4) {
  std::vector<IpAddress> all;
  std::array<bool, 256> taken{};
  const auto& gateways = scope.segment.gateways();
  for (const Segment::Neighbour& neighbour : scope.segment.neighbours()) {
    const IpAddress& address = neighbour.address;
    if (address.is_v4() != v4 || address.is_link_local() || scope.segment.is_own(address) ||
        std::find(gateways.begin(), gateways.end(), address) != gateways.end()) {
      continue;
    }
    bool& same = taken[address.bytes().back()];
    if (!same) all.push_back(address);
    same = true;
  }
  // Evenly from all of them: access lists name ranges.
  const std::size_t most = scope.cycle == CycleKind::long_cycle ? kLongHosts : kShortHosts;
  if (all.size() <= most) return all;
  std::vector<IpAddress> some;
  for (std::size_t i = 0; i < most; ++i)
    some.push_back(all[i * all.size() / most]);
  return some;
}

// The variant is the last byte of the address that was borrowed: behind a NAT, home could not see
// whose it was.
std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> all;
  for (const bool v4 : {true, false}) {
    const auto home = home_address(scope, v4);
    if (!home) continue;
    for (const IpAddress& host : hosts(scope, v4)) {
      const std::uint8_t variant = host.bytes().back();
      all.push_back({.destination = *home, .port = 0, .variant = variant, .via = {}});
      for (const std::uint16_t port : few_ports())
        all.push_back({.destination = *home, .port = port, .variant = variant, .via = {}});
    }
  }
  return all;
}

TargetCount count(const Scope& scope) {
  const std::uint64_t all = targets(scope).size();
  return {all, all == 0 ? "no other host of home's family was heard" : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  for (const IpAddress& host : hosts(wire.scope(), to.destination.is_v4())) {
    if (host.bytes().back() != to.variant) continue;
    const Form form = to.port == 0 ? Form::echo : Form::udp;
    const Bytes ping = wire.ping();
    wire.send_ip(form_packet(form, fresh_fields(wire, form, host, to.destination, to.port), ping));
    break;
  }
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method spoof_inside{
    .id = MethodId::spoof_inside,
    .words =
        "a packet to home with the address of another host of the segment (variant: its last "
        "byte): an access list trusts an address that anybody can bear",
    .risk = Risk::high,
    .danger =
        "answers go to the host whose address was borrowed; IP source guard may shut the port",
    .traits = kSpoofed,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
