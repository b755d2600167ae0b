#include "base/time.h"
#include "escape/places.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kPort = 514;

std::vector<Target> targets(const Scope& scope) {
  return home_and_relays(scope, kPort);
}

TargetCount count(const Scope& scope) {
  const std::uint64_t number = targets(scope).size();
  return {number, number == 0 ? kNoAddress : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

// RFC 5424: facility local0, severity informational, no structured data; the ping as text.
std::unique_ptr<Conversation> run(Wire& wire) {
  const std::string line = "<134>1 " + to_rfc3339(wire.now()) +
                           " beaconry beaconry-escape - ping - " + ping_text(wire.ping());
  send_datagram(wire, as_bytes(line));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method syslog{
    .id = MethodId::syslog,
    .words =
        "a log line with a ping in it to home and to gateways and neighbours: a way for syslog, or "
        "a "
        "relay that passes logs on",
    .risk = Risk::none,
    .danger = "none: a line in the logs of those that take it",
    .traits = 0,  // each frame shows to whom it goes; gateways are asked by every profile
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
