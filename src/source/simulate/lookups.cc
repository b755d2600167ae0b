#include <absl/container/flat_hash_map.h>

#include <utility>

#include "source/simulate/background.h"

namespace beaconry::simulate {
namespace {

constexpr double kTimesToLive[] = {60, 120, 300, 600, 900, 1800, 3600, 14400};

}  // namespace

void lookups(SimulatedNetwork& network, Random random) {
  Traffic& traffic = network.traffic;
  traffic.sort();
  absl::flat_hash_map<std::pair<IpAddress, NameId>, Timestamp> caches;
  absl::flat_hash_map<NameId, Timestamp> resolver_cache;
  Server forwarder = network.internet_server(1, 53, Protocol::udp, Service::dns);
  const std::size_t count = traffic.flows.size();
  traffic.flows.reserve(count + count / 2);
  for (std::size_t i = 0; i < count; ++i) {
    // By value: adding lookups may move the flows.
    const SimulatedFlow flow = traffic.flows[i];
    if (flow.name == kNoName || flow.service == Service::dns) continue;
    const bool outside_in = flow.source.is_v4() && (flow.source.v4_value() >> 24) != 10;
    if (outside_in) continue;
    Timestamp& known_until = caches[{flow.source, flow.name}];
    if (flow.time < known_until) continue;
    const auto ttl = from_seconds(kTimesToLive[mix(flow.name, 0xd45) % 8]);
    const std::uint64_t draw = mix(flow.source.low(), 0x4e5);
    Server resolver = network.resolvers[draw % network.resolvers.size()];
    if (random.chance(0.04)) resolver = network.resolvers[1 - draw % 2];
    resolver.name = flow.name;
    const double length = static_cast<double>(traffic.names[flow.name].size());
    Timestamp& resolved_until = resolver_cache[flow.name];
    const bool ask = flow.time >= resolved_until;
    const double rtt = ask ? random.log_normal(0.025, 0.6) : random.log_normal(0.0007, 0.4);
    const Timestamp time = flow.time - from_seconds(rtt + random.log_normal(0.004, 0.8));
    const Exchange exchange{length + 18, length + 34 + 16 * static_cast<double>(draw % 3), rtt};
    if (ask) {
      resolved_until = time + ttl;
      forwarder.name = flow.name;
      if (SimulatedFlow* up = traffic.connect(resolver.addresses.front(), forwarder,
                                              time + from_seconds(0.0003), exchange, random)) {
        up->answer = flow.destination;
      }
    }
    known_until = resolved_until;
    if (SimulatedFlow* asked = traffic.connect(flow.source, resolver, time, exchange, random)) {
      asked->answer = flow.destination;
    }
  }
}

}  // namespace beaconry::simulate
