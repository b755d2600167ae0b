#include <algorithm>

#include "escape/packet_forms.h"
#include "escape/targets.h"

namespace beaconry {
namespace {

// The outer tag is the variant, the inner one the datagram's port, so that whatever arrives says
// which VLAN it was in. A switch whose trunk carries the outer VLAN untagged (its "native" one, 1
// unless somebody changed it) takes that tag off and passes the frame into the inner VLAN.
constexpr std::uint8_t kOuter[] = {1};
constexpr std::uint8_t kOuterLong[] = {1, 0, 10, 20, 99, 100};
constexpr std::uint16_t kInner[] = {2,  3,  5,   10,  20,  30,  40,  50,  60,  70,
                                    80, 90, 100, 101, 110, 120, 150, 200, 300, 1000};
constexpr std::uint16_t kMostVlan = 4094;

struct Tags {
  std::vector<IpAddress> homes;
  std::span<const std::uint8_t> outer = kOuter;
  std::uint64_t inner = std::size(kInner);
  bool all = false;

  explicit Tags(const Scope& scope) : homes(reachable_homes(scope)) {
    if (scope.cycle == CycleKind::short_cycle) return;
    outer = kOuterLong;
    inner = kMostVlan;
    all = true;
  }
  std::uint64_t count() const { return homes.size() * outer.size() * inner; }
};

TargetCount count(const Scope& scope) {
  const std::uint64_t all = Tags(scope).count();
  return {all, all == 0 ? kNoFamily : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  const Tags tags(scope);
  if (tags.count() == 0) return {};
  index %= tags.count();
  const std::uint64_t at = index % tags.inner;
  Target target;
  target.port = tags.all ? static_cast<std::uint16_t>(at + 1) : kInner[at];
  target.variant = tags.outer[index / tags.inner % tags.outer.size()];
  target.destination = tags.homes[index / tags.inner / tags.outer.size()];
  return target;
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const auto source = wire.source_for(to.destination);
  if (!source) return nullptr;
  const bool v4 = to.destination.is_v4();
  // Routers mostly bear one Ethernet address in all VLANs; where none is known, all are asked.
  MacAddress receiver = MacAddress::broadcast();
  const Segment& segment = wire.scope().segment;
  for (const IpAddress& gateway : segment.gateways()) {
    const auto mac = segment.mac_of(gateway);
    if (gateway.is_v4() == v4 && mac) {
      receiver = *mac;
      break;
    }
  }
  const Bytes ping = wire.ping();
  const Bytes packet =
      form_packet(Form::udp, fresh_fields(wire, Form::udp, *source, to.destination, to.port), ping);
  Bytes tagged{0, to.variant, kEtherVlan >> 8, kEtherVlan & 0xff};
  for (const std::uint16_t word :
       {to.port, v4 ? std::uint16_t{kEtherIpv4} : std::uint16_t{kEtherIpv6}}) {
    tagged.push_back(static_cast<std::uint8_t>(word >> 8));
    tagged.push_back(static_cast<std::uint8_t>(word));
  }
  tagged.insert(tagged.end(), packet.begin(), packet.end());
  wire.send_frame(ethernet(receiver, wire.mac(), kEtherVlan, tagged));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method vlan_double_tag{
    .id = MethodId::vlan_double_tag,
    .words =
        "a datagram behind two 802.1Q tags (variant: the outer, port: the inner): a switch "
        "takes one off and passes it into another VLAN",
    .risk = Risk::medium,
    .danger = "frames may reach VLANs that nobody meant them for; port security may shut the port",
    .traits = kMalformed | kBroadcast,  // broadcast where no gateway is known
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
