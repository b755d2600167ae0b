#pragma once
#include "hunt/hunt_report.h"

namespace beaconry {

// A report made by hand: a rotating CDN beacon with 14 addresses, one of its address pairs, an
// ICMP pair without bytes, a hidden updater. Same every time.
HuntReport sample_report();

// A pair whose every text attacks what shows it: escapes, HTML, formulas, bad UTF-8.
ScoredPair hostile_pair();

}  // namespace beaconry
