#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "accuracy/detectors.h"
#include "accuracy/score_card.h"
#include "source/simulate/recipe.h"

using namespace beaconry;
using namespace beaconry::accuracy;

static void show(const char* who, const ScoreCard& c) {
  std::printf("%-22s found %zu/%zu aperiodic %zu periodic %zu AP %.3f others %zu\n   ", who,
              c.total().found, c.total().all, c.aperiodic_alarms, c.periodic_alarms,
              c.average_precision, c.others);
  for (const auto& [g, k] : c.classes)
    std::printf(" %s %zu/%zu", g.c_str(), k.found, k.all);
  std::printf("\n   ");
  for (const auto& [g, k] : c.periodic_alarms_by_class)
    std::printf(" %s %zu", g.c_str(), k);
  std::printf("\n");
}

int main(int argc, char** argv) {
  auto recipe = *simulate::preset("day", std::strtoull(argv[1], nullptr, 10));
  if (argc > 2) simulate::vary(recipe, std::strtoull(argv[2], nullptr, 10));
  const auto traffic = simulate::simulate(recipe);
  ConnectionList list;
  simulate::feed(traffic, list);
  Labels labels;
  for (const auto& t : traffic.truth) {
    auto& into = t.label == simulate::TruthLabel::malicious ? labels.malicious : labels.periodic;
    if (t.name) for (auto& r : {"10.10.200.10", "10.10.200.11"}) labels.periodic.push_back({t.pair.source, {*IpAddress::parse(r)}, "(address)", 53, "dns"});
    into.push_back({t.pair.source, t.addresses, traffic.names[t.name], t.pair.port, t.group});
  }
  auto now = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
  double t0 = now();
  show("predecessor 1h", score(predecessor_claims(list, 3600), labels));
  std::printf("%.1f\n", now() - t0), t0 = now();
  show("predecessor day", score(predecessor_claims(list, 2 * 86400), labels));
  std::printf("%.1f\n", now() - t0), t0 = now();
  show("rita .70", score(rita_claims(list, .7), labels));
  std::printf("%.1f\n", now() - t0), t0 = now();
  if (std::getenv("LIST")) {
    for (const auto& c : rita_claims(list, .7)) {
      if (!c.is_beacon) continue;
      bool known = false;
      for (const auto& l : labels.malicious) known = known || covers(c, l);
      for (const auto& l : labels.periodic) known = known || covers(c, l);
      if (!known) std::printf("A %s %s %s %zu %.3f\n", c.source.to_string().c_str(), c.destinations.front().to_string().c_str(), c.name.c_str(), c.destinations.size(), c.score);
    }
  }
  show("rita .85", score(rita_claims(list, .85), labels));
}
