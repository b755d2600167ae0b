#include "escape/places.h"
#include "escape/wpad_talk.h"

namespace beaconry {
namespace {

// `variant` is the form, and eight times the place of the proxy's port in this list, which only
// grows at its end. The try's own port is home's.
constexpr std::uint16_t kProxyPorts[] = {3128, 8080, 8000, 80, 8888, 8118, 8123, 9090, 8081, 888};
constexpr std::size_t kCommonPorts = 3;  // of the short cycle
constexpr std::uint8_t kForms = 8;
static_assert(std::size(kProxyPorts) * kForms <= 256);

// Forms of this method beyond those of ProxyForm.
constexpr std::uint8_t kToldScript = 4;   // the configuration that DHCP's option 252 names
constexpr std::uint8_t kNamedScript = 5;  // that of the host "wpad", asked of a resolver

constexpr std::uint16_t kTlsPort = 443, kWebPort = 80;

std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> list;
  const bool all = scope.cycle == CycleKind::long_cycle;
  const IpAddress home = home_by_name(scope);
  if (home.is_unspecified()) return list;
  if (!scope.segment.wpad().empty()) list.push_back({home, kTlsPort, kToldScript, {}});
  for (const IpAddress& resolver : scope.segment.resolvers()) {
    if (scope.segment.own_for(resolver)) list.push_back({home, kTlsPort, kNamedScript, resolver});
  }
  for (const IpAddress& relay : relays(scope)) {
    for (std::size_t at = 0; at < (all ? std::size(kProxyPorts) : kCommonPorts); ++at) {
      const auto add = [&](std::uint16_t port, ProxyForm form) {
        const auto variant = static_cast<std::uint8_t>(at * kForms + static_cast<unsigned>(form));
        list.push_back({home, port, variant, relay});
      };
      add(kTlsPort, ProxyForm::connect);
      add(kWebPort, ProxyForm::get);
      if (all && why_no_name(scope).empty()) add(kTlsPort, ProxyForm::connect_name);
    }
  }
  return list;
}

TargetCount count(const Scope& scope) {
  const std::uint64_t number = targets(scope).size();
  return {number, number == 0 ? "no gateway, neighbour or WPAD names a proxy to ask" : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const std::uint8_t form = to.variant % kForms;
  if (form == kToldScript) {
    auto url = parse_http_url(wire.scope().segment.wpad());
    return url ? std::make_unique<WpadTalk>(std::move(*url)) : nullptr;
  }
  if (form == kNamedScript) {
    return std::make_unique<WpadTalk>(HttpUrl{"wpad", kWebPort, "/wpad.dat"});
  }
  const std::size_t port = to.variant / kForms;
  if (port >= std::size(kProxyPorts)) return nullptr;
  return std::make_unique<ProxyTalk>(to.via, kProxyPorts[port], static_cast<ProxyForm>(form));
}

}  // namespace

namespace methods {
extern constinit const Method http_proxy{
    .id = MethodId::http_proxy,
    .words =
        "a ping to home through an HTTP proxy (CONNECT, GET) on gateways and neighbours and "
        "where WPAD says: one-way, and two-way if home answers through it",
    .risk = Risk::low,
    .danger =
        "connections to usual proxy ports of gateways and neighbours: looks like a small "
        "port scan",
    .traits = 0,  // each frame shows to whom it goes; gateways are asked by every profile
    .needs_own_address = true,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
