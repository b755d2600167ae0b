#include "escape/byte_writer.h"
#include "escape/dns_query.h"
#include "escape/places.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kPort = 5353;
constexpr std::string_view kGroups[] = {"224.0.0.251", "ff02::fb"};
constexpr std::uint8_t kQuestion = 1, kAnnouncement = 2;
constexpr std::uint8_t kVariants[] = {kQuestion, kAnnouncement};

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

// RFC 6762: a question for, or an unasked answer about, a name whose labels are the ping.
Bytes message(std::uint8_t variant, const std::string& name) {
  constexpr std::uint16_t kAnswer = 0x8400, kClassIn = 1;
  constexpr std::uint32_t kSeconds = 10;
  const bool asks = variant == kQuestion;
  ByteWriter out;
  out.u16(0).u16(asks ? 0 : kAnswer);
  out.u16(asks ? 1 : 0).u16(asks ? 0 : 1).u16(0).u16(0);
  put_dns_name(out, name);
  out.u16(kDnsTxt).u16(kClassIn);
  if (!asks) out.u32(kSeconds).u16(1).u8(0);  // an empty text
  return out.take();
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const auto name = ping_name(wire.ping(), "local");
  if (!name) return nullptr;
  // From its own port, or else it would be a legacy query, which reflectors keep (RFC 6762 §6.7).
  send_to_group(wire, to.destination, kPort, kPort, message(to.variant, *name), 255);
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method mdns{
    .id = MethodId::mdns,
    .words =
        "a ping as a multicast DNS name, asked for and announced: a reflector carries it to other "
        "networks",
    .risk = Risk::low,
    .danger =
        "every host of the segment that speaks mDNS reads it; a name is cached for ten seconds",
    .traits = kBroadcast,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
