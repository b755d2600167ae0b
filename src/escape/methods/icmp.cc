#include <chrono>

#include "escape/targets.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

enum : std::uint8_t { kEchoReply = 0, kEcho = 8, kTimestamp = 13, kTimestampReply = 14 };

// Variants are the types. The long cycle adds what else carries data: information, mask and
// traceroute of old, extended echo (RFC 8335), and those for experiments (RFC 4727).
constexpr std::uint8_t kTypes[] = {
    kEcho,           kEchoReply, kTimestamp,  //
    kTimestampReply, 15,         16,         17, 18, 30, 37, 40, 42, 43, 253, 254};
constexpr std::size_t kCommonTypes = 3;

std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> all;
  const auto home = scope.home_v4();
  if (!home) return all;
  const std::span<const std::uint8_t> types = kTypes;
  for (const std::uint8_t type :
       scope.cycle == CycleKind::long_cycle ? types : types.first(kCommonTypes)) {
    all.push_back({.destination = *home, .port = 0, .variant = type, .via = {}});
  }
  return all;
}

TargetCount count(const Scope& scope) {
  const std::uint64_t all = targets(scope).size();
  return {all, all == 0 ? "no IPv4 address of home or of ours" : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const auto source = wire.source_for(to.destination);
  if (!source) return nullptr;
  Bytes data;
  if (to.variant == kTimestamp || to.variant == kTimestampReply) {
    const auto now = std::chrono::floor<std::chrono::milliseconds>(wire.now());
    const auto today = now - std::chrono::floor<std::chrono::days>(now);
    const auto milliseconds = static_cast<std::uint32_t>(today.count());  // since midnight
    data.resize(12);  // originated, received, transmitted: RFC 792
    for (std::size_t i = 0; i < 4; ++i)
      data[i] = static_cast<std::uint8_t>(milliseconds >> (24 - 8 * i));
  }
  const Bytes ping = wire.ping();
  data.insert(data.end(), ping.begin(), ping.end());
  wire.send_ip(
      ip(*source, to.destination, kProtocolIcmp, icmp(to.variant, 0, wire.random(), data)));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method icmp{
    .id = MethodId::icmp,
    .words =
        "ICMP echo, unsolicited echo reply and timestamp with data (long cycle: 12 types "
        "more): one-way, two-way by home's own answer",
    .risk = Risk::none,
    .danger = "none: as ping, one packet each",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
