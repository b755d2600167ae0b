#include "escape/packet_forms.h"
#include "escape/targets.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kFirstPort = 443;
// Variants: who the frame is for, then what it carries.
enum : std::uint8_t { kAllUdp = 0, kAllEcho = 1, kRoutersUdp = 2, kRoutersEcho = 3 };

std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> all;
  for (const IpAddress& home : reachable_homes(scope)) {
    for (const std::uint8_t variant : {kAllUdp, kAllEcho, kRoutersUdp, kRoutersEcho}) {
      const bool echo = variant == kAllEcho || variant == kRoutersEcho;
      all.push_back({.destination = home,
                     .port = static_cast<std::uint16_t>(echo ? 0 : kFirstPort),
                     .variant = variant,
                     .via = {}});
      if (echo || scope.cycle == CycleKind::short_cycle) continue;
      for (const std::uint16_t port : few_ports()) {
        if (port == kFirstPort) continue;
        all.push_back({.destination = home, .port = port, .variant = variant, .via = {}});
      }
    }
  }
  return all;
}

TargetCount count(const Scope& scope) {
  const std::uint64_t all = targets(scope).size();
  return {all, all == 0 ? kNoFamily : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

MacAddress to_whom(std::uint8_t variant, bool v4) {
  if (variant < kRoutersUdp) return MacAddress::broadcast();
  if (v4) return {{0x01, 0x00, 0x5e, 0x00, 0x00, 0x02}};  // 224.0.0.2
  return {{0x33, 0x33, 0x00, 0x00, 0x00, 0x02}};          // ff02::2
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const auto source = wire.source_for(to.destination);
  if (!source) return nullptr;
  const bool v4 = to.destination.is_v4();
  const Form form = to.port == 0 ? Form::echo : Form::udp;
  const Bytes ping = wire.ping();
  const Bytes packet =
      form_packet(form, fresh_fields(wire, form, *source, to.destination, to.port), ping);
  wire.send_frame(ethernet(to_whom(to.variant, v4), wire.mac(),
                           v4 ? std::uint16_t{kEtherIpv4} : std::uint16_t{kEtherIpv6}, packet));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method ethernet_broadcast{
    .id = MethodId::ethernet_broadcast,
    .words =
        "a packet to home in an Ethernet broadcast, or to the group of all routers: a faulty "
        "device forwards what was for all",
    .risk = Risk::medium,
    .danger = "every host of the segment gets the frame; several faulty ones may forward it each",
    .traits = kBroadcast,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
