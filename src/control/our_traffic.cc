#include "control/our_traffic.h"

#include <algorithm>

#include "flow/server_name.h"

namespace beaconry {
namespace {

std::string home_of_addresses(const ScoredPair& pair, const Homes& homes) {
  std::string home = homes.with_address(pair.key.destination);
  for (const IpAddress& destination : pair.destinations) {
    if (home.empty()) break;
    if (homes.with_address(destination) != home) home.clear();
  }
  return home;
}

// The home whose zone a DNS pair's domain holds. REQUIRES: names of DNS are registered domains.
std::string home_of_domain(const ScoredPair& pair, const Probes& probes, const Homes& homes,
                           Timestamp now) {
  if (pair.name_kind != NameKind::dns_domain) return {};
  for (const KeptHome& home : homes.list()) {
    if (home.zone.empty() || registered_domain(home.zone) != pair.server_name) continue;
    const bool is_whole = home.zone == pair.server_name;
    if (is_whole || probes.with_address(pair.key.source, now) ||
        probes.with_resolver(pair.key.source, now)) {
      return home.edge;
    }
  }
  return {};
}

}  // namespace

std::string our_traffic(const ScoredPair& pair, const Probes& probes, const Homes& homes,
                        const Edges& edges, Timestamp now) {
  std::string edge = home_of_addresses(pair, homes);
  if (edge.empty() && !pair.server_name.empty()) edge = homes.with_name(pair.server_name);
  if (edge.empty()) edge = home_of_domain(pair, probes, homes, now);
  if (edge.empty() || !edges.is_enrolled(edge)) return {};
  const auto all = probes.list();
  const bool is_called = std::any_of(all.begin(), all.end(), [&](const KeptProbe& probe) {
    return probe.home == edge && !probe.is_retired(now);
  });
  if (!is_called) return {};
  auto probe = probes.with_address(pair.key.source, now);
  if (!probe) probe = probes.with_resolver(pair.key.source, now);
  if (probe && probe->home == edge) return "probe " + probe->name;
  const auto home = homes.find(edge);
  return "home " + (home ? home->name : edge);
}

void mark_our_traffic(LiveAnalysis& analysis, const Probes& probes, const Homes& homes,
                      const Edges& edges, Timestamp now) {
  if (homes.list().empty()) return;
  for (ScoredPair& pair : analysis.pairs) {
    if (pair.hidden != Hidden::no) continue;
    std::string whose = our_traffic(pair, probes, homes, edges, now);
    if (whose.empty()) continue;
    pair.hidden = Hidden::ours;
    pair.hidden_reason = std::move(whose);
  }
}

}  // namespace beaconry
