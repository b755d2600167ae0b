#include "escape/packet_forms.h"
#include "escape/targets.h"

namespace beaconry {
namespace {

// A neighbour that forwards may well filter: the long cycle tries every common port through each.
struct Ways {
  std::vector<IpAddress> homes;
  std::vector<std::vector<IpAddress>> routers;  // of each home's family
  std::span<const std::uint16_t> ports;

  explicit Ways(const Scope& scope) : homes(reachable_homes(scope)), ports(scope.common_ports()) {
    static constexpr std::uint16_t kOnePort[] = {443};
    if (scope.cycle == CycleKind::short_cycle) ports = kOnePort;
    for (const IpAddress& home : homes) {
      routers.push_back(possible_routers(scope, home.is_v4(), true));
      if (!home.is_v4()) continue;  // IPv6's are ipv6-forms' matter
      for (const IpAddress& gateway : other_gateways(scope, true))
        routers.back().push_back(gateway);
    }
  }
  std::uint64_t each() const { return 1 + 2 * ports.size(); }  // an echo; UDP and SYN of each port
  std::uint64_t count() const {
    std::uint64_t all = 0;
    for (const auto& family : routers)
      all += family.size();
    return all * each();
  }
  Target at(std::uint64_t index) const {
    if (count() == 0) return {};
    index %= count();
    Target target;
    std::uint64_t router = index / each();
    const std::uint64_t form = index % each();
    for (std::size_t family = 0; family < homes.size(); ++family) {
      if (router < routers[family].size()) {
        target.destination = homes[family];
        target.via = routers[family][router];
        break;
      }
      router -= routers[family].size();
    }
    if (form == 0) {
      target.variant = static_cast<std::uint8_t>(Form::echo);
    } else {
      target.variant = static_cast<std::uint8_t>(form % 2 == 1 ? Form::udp : Form::tcp_syn);
      target.port = ports[(form - 1) / 2];
    }
    return target;
  }
};

TargetCount count(const Scope& scope) {
  const Ways ways(scope);
  if (ways.homes.empty()) return {0, kNoFamily};
  const std::uint64_t all = ways.count();
  return {all, all == 0 ? kNoNeighbour : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return Ways(scope).at(index);
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const auto source = wire.source_for(to.destination);
  if (!source || to.via.is_unspecified()) return nullptr;
  const Form form = static_cast<Form>(to.variant);
  const Bytes ping = wire.ping();
  wire.send_ip_via(
      form_packet(form, fresh_fields(wire, form, *source, to.destination, to.port), ping), to.via);
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method neighbour_gateway{
    .id = MethodId::neighbour_gateway,
    .words =
        "a packet to home handed to each neighbour as if it were the gateway (echo, UDP, TCP "
        "SYN): a neighbour forwards",
    .risk = Risk::low,
    .danger = "each neighbour gets a packet that is not for it; hosts drop it",
    .traits = kToNeighbour,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
