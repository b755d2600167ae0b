#pragma once
#include <string>

#include "base/time.h"
#include "control/edges.h"
#include "control/homes.h"
#include "control/probes.h"
#include "hunt/live_hunt.h"

namespace beaconry {

// Who of ours makes a pair's traffic: "probe hall", "home outside" where the probe behind it is not
// known, or nothing. It is ours while an enrolled home of ours with a probe that is not retired is
// at the other end:
// - every destination is an address of the home, or the server's name is its zone or below it;
// - it is DNS for the domain that the zone is registered under, and of a probe's own address or of
//   a resolver that a probe says to ask. Where the zone is that whole domain, of anybody.
// Nobody else gains by that: what goes to our home tells an attacker nothing.
std::string our_traffic(const ScoredPair& pair, const Probes& probes, const Homes& homes,
                        const Edges& edges, Timestamp now);

// Hides (Hidden::ours) what is ours and nothing else hides.
void mark_our_traffic(LiveAnalysis& analysis, const Probes& probes, const Homes& homes,
                      const Edges& edges, Timestamp now);

}  // namespace beaconry
