#include "escape/byte_writer.h"
#include "escape/dns_query.h"
#include "escape/places.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kPort = 5355;
constexpr std::string_view kGroups[] = {"224.0.0.252", "ff02::1:3"};
constexpr std::uint8_t kVariants[] = {0};

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

// RFC 4795 §2.1: a question as in DNS, without recursion. Below home's zone, so that who takes it
// for his own name server's asks home.
std::unique_ptr<Conversation> run(Wire& wire) {
  constexpr std::uint16_t kClassIn = 1;
  const Bytes sealed = wire.ping();
  const std::string& zone = wire.scope().config.home.zone;
  auto name = ping_name(sealed, zone.empty() ? "local" : zone);
  if (!name) name = ping_name(sealed, "local");
  if (!name) return nullptr;
  ByteWriter out;
  out.u16(wire.random() & 0xffff).u16(0).u16(1).u16(0).u16(0).u16(0);
  put_dns_name(out, *name);
  out.u16(kDnsAaaa).u16(kClassIn);
  send_to_group(wire, wire.current().target.destination, wire.claim_port(kProtocolUdp), kPort,
                out.view(), 255);
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method llmnr{
    .id = MethodId::llmnr,
    .words =
        "a ping as a name asked for by link-local multicast name resolution: a reflector carries "
        "it "
        "to other networks, or a resolver asks home",
    .risk = Risk::low,
    .danger = "every host of the segment that speaks LLMNR reads it",
    .traits = kBroadcast,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
