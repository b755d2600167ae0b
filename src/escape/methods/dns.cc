#include "escape/dns_talk.h"
#include "escape/places.h"

namespace beaconry {
namespace {

// Every resolver, then home itself, which a firewall may let be asked by whoever speaks real DNS;
// each by every type, which is the variant.
std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> list;
  const auto add = [&](const IpAddress& home, const IpAddress& via) {
    for (const DnsType type : kPingTypes)
      list.push_back({home, kDnsPort, type, via});
  };
  for (const IpAddress& resolver : resolvers(scope))
    add(home_by_name(scope), resolver);
  for (const IpAddress& home : reachable_homes(scope))
    add(home, {});
  return list;
}

TargetCount count(const Scope& scope) {
  if (std::string why = why_no_name(scope); !why.empty()) return {0, std::move(why)};
  const std::uint64_t number = targets(scope).size();
  return {number, number == 0 ? "no resolver is known, and no address to ask home from" : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

bool send(Wire& wire, std::uint16_t port, ByteView query) {
  const IpAddress to = next_stop(wire.current().target);
  const auto source = wire.source_for(to);
  if (!source) return false;
  wire.send_ip(ip(*source, to, kProtocolUdp, udp(*source, to, port, kDnsPort, query)));
  return true;
}

std::unique_ptr<Conversation> run(Wire&) {
  return std::make_unique<DnsTalk>(send, DnsTalk::Answers::one);
}

}  // namespace

namespace methods {
extern constinit const Method dns{
    .id = MethodId::dns,
    .words =
        "a name below home's zone asked of every resolver (TXT, AAAA, CNAME, A): it resolves "
        "for the outside, and two-way if the answer is home's",
    .risk = Risk::none,
    .danger = "none: ordinary questions, each for a new name",
    .traits = 0,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
