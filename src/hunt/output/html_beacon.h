#pragma once
#include <cstddef>
#include <string>

#include "hunt/hunt_report.h"

namespace beaconry {

// One beacon's part of the page, an <article> with the id beacon-RANK.
std::string beacon_html(const ScoredPair& pair, std::size_t rank, const CheckIns& check_ins);

// "10.0.0.100 (pc7)" with the words in brackets toned down.
std::string source_html(const ScoredPair& pair);
std::string destination_html(const ScoredPair& pair);

// The style sheet's class of a severity: "critical".
std::string severity_class(const ScoredPair& pair);

}  // namespace beaconry
