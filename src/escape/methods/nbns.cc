#include "escape/byte_writer.h"
#include "escape/places.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kPort = 137;

std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> list;
  const auto own = own_of(scope, true);
  if (!own) return list;
  if (const auto all = directed_broadcast(*own)) list.push_back({*all, kPort, 0, {}});
  list.push_back({IpAddress::v4(0xffffffff), kPort, 0, {}});
  return list;
}

TargetCount count(const Scope& scope) {
  const std::uint64_t number = targets(scope).size();
  return {number, number == 0 ? kNoAddress : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

// RFC 1002 §4.2.12: a broadcast name query; the ping is the name's scope.
Bytes question(std::uint16_t id, const std::string& scope_name) {
  constexpr std::uint16_t kRecursionAndBroadcast = 0x0110, kNameService = 0x20, kClassIn = 1;
  constexpr char kName[] = "BEACONRY       ";  // 15 characters, and 0 for a workstation
  static_assert(sizeof kName == 16);
  ByteWriter encoded;
  for (const char c : kName)  // RFC 1001 §14.1: half a byte a letter
    encoded.u8('A' + (static_cast<unsigned>(c) >> 4)).u8('A' + (static_cast<unsigned>(c) & 15));
  ByteWriter out;
  out.u16(id).u16(kRecursionAndBroadcast).u16(1).u16(0).u16(0).u16(0);
  out.counted(1, encoded.view());
  put_dns_name(out, scope_name);
  return out.u16(kNameService).u16(kClassIn).take();
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const auto name = ping_name(wire.ping(), "");
  if (!name) return nullptr;
  const Bytes query = question(static_cast<std::uint16_t>(wire.random()), *name);
  send_to_group(wire, wire.current().target.destination, kPort, kPort, query, 64);
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method nbns{
    .id = MethodId::nbns,
    .words =
        "a ping as the scope of a NetBIOS name that is broadcast for: a reflector carries it to "
        "other "
        "networks",
    .risk = Risk::low,
    .danger = "every host of the segment receives a broadcast to UDP port 137",
    .traits = kBroadcast,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
