#include "escape/places.h"
#include "escape/proxy_talk.h"

namespace beaconry {
namespace {

// `variant` is the form, and eight times the place of the proxy's port in this list, which only
// grows at its end. The try's own port is home's.
constexpr std::uint16_t kProxyPorts[] = {1080, 1081, 9050, 10'808};
constexpr std::size_t kCommonPorts = 1;  // of the short cycle
constexpr std::uint8_t kForms = 8;
constexpr std::uint16_t kHomePort = 443;

std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> list;
  const bool all = scope.cycle == CycleKind::long_cycle;
  const IpAddress home = home_by_name(scope);
  if (home.is_unspecified()) return list;
  for (const IpAddress& relay : relays(scope)) {
    for (std::size_t at = 0; at < (all ? std::size(kProxyPorts) : kCommonPorts); ++at) {
      const auto add = [&](const IpAddress& to, ProxyForm form) {
        const auto variant = static_cast<std::uint8_t>(at * kForms + static_cast<unsigned>(form));
        list.push_back({to, kHomePort, variant, relay});
      };
      add(home, ProxyForm::socks5);
      if (const auto v4 = home_address(scope, true)) add(*v4, ProxyForm::socks4);
      if (all && why_no_name(scope).empty()) add(home, ProxyForm::socks5_name);
    }
  }
  return list;
}

TargetCount count(const Scope& scope) {
  const std::uint64_t number = targets(scope).size();
  return {number, number == 0 ? "no gateway or neighbour to ask is known" : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const std::size_t port = to.variant / kForms;
  if (port >= std::size(kProxyPorts)) return nullptr;
  return std::make_unique<ProxyTalk>(to.via, kProxyPorts[port],
                                     static_cast<ProxyForm>(to.variant % kForms));
}

}  // namespace

namespace methods {
extern constinit const Method socks_proxy{
    .id = MethodId::socks_proxy,
    .words =
        "a ping to home through a SOCKS proxy (5 and 4) on gateways and neighbours: one-way, "
        "and two-way if home answers through it",
    .risk = Risk::low,
    .danger = "connections to SOCKS ports of gateways and neighbours: looks like a small port scan",
    .traits = 0,  // each frame shows to whom it goes; gateways are asked by every profile
    .needs_own_address = true,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
