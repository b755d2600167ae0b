#pragma once
#include <string>

#include "hunt/hunt_report.h"
#include "hunt/output/terminal.h"

namespace beaconry {

// Everything about one pair of the report, for a terminal 80 to 120 columns wide: where its score
// comes from (the points shown add up to the score shown), its rhythm, context, bytes, ids to
// pivot on, and pictures: timeline, intervals, sizes. Blocks where the locale has UTF-8, else
// ASCII.
std::string explain_text(const ScoredPair& pair, const HuntReport& report,
                         const Terminal& terminal);

}  // namespace beaconry
