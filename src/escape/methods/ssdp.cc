#include "escape/places.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kPort = 1900;
constexpr std::string_view kGroups[] = {"239.255.255.250", "ff02::c", "ff05::c"};
constexpr std::uint8_t kSearch = 1, kGoodbye = 2;
constexpr std::uint8_t kVariants[] = {kSearch, kGoodbye};
constexpr std::uint8_t kHops = 4;  // what UPnP says: routers may forward it

std::vector<Target> targets(const Scope& scope) {
  return groups_at(scope, kGroups, kPort, kVariants);
}

TargetCount count(const Scope& scope) {
  const std::uint64_t number = targets(scope).size();
  return {number, number == 0 ? kNoAddress : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

// UPnP device architecture 1.1 §1.2.3 and §1.3.2: a search for a service, and the goodbye of a
// device, that nobody has.
std::string message(const Target& to, const std::string& ping) {
  const std::string group = to.destination.to_string();
  const std::string head =
      (to.variant == kSearch ? "M-SEARCH" : "NOTIFY") + std::string(" * HTTP/1.1\r\nHOST: ") +
      (to.destination.is_v4() ? group : "[" + group + "]") + ":" + std::to_string(to.port) + "\r\n";
  if (to.variant == kSearch) {
    return head + "MAN: \"ssdp:discover\"\r\nMX: 1\r\nST: urn:beaconry:service:" + ping +
           ":1\r\n\r\n";
  }
  const std::string kind = "urn:beaconry:device:" + ping + ":1";
  return head + "NT: " + kind + "\r\nNTS: ssdp:byebye\r\nUSN: uuid:beaconry::" + kind + "\r\n\r\n";
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const std::string text = message(to, ping_text(wire.ping()));
  send_to_group(wire, to.destination, wire.claim_port(kProtocolUdp), kPort, as_bytes(text), kHops);
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method ssdp{
    .id = MethodId::ssdp,
    .words =
        "a ping as the service that a UPnP search asks for: a reflector carries it to other "
        "networks",
    .risk = Risk::low,
    .danger = "every host of the segment that speaks UPnP reads it",
    .traits = kBroadcast,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
