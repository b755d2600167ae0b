#pragma once
#include "source/simulate/network.h"

namespace beaconry::simulate {

struct BackgroundPlan {
  double random_pairs_at_800 = 1100;  // that talk at random moments
  double scanners_at_800 = 90;
  double visitors_at_800 = 3000;  // of our public servers
};

// What no schedule and no person explains: pairs that talk at random (Poisson) moments, scanners
// from outside, strangers that visit our public servers.
void background(SimulatedNetwork& network, const BackgroundPlan& plan, int hosts, Random random);

// The lookups that the flows need, by each host's stub resolver with a cache, and the leases.
void lookups(SimulatedNetwork& network, Random random);

}  // namespace beaconry::simulate
