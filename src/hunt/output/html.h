#pragma once
#include <cstddef>
#include <iosfwd>

#include "hunt/hunt_report.h"

namespace beaconry {

constexpr std::size_t kMostDrawn = 200;    // beacons with pictures on a page
constexpr std::size_t kMostRanked = 2000;  // rows of the ranking

// One self-contained page: no script, no network (its content security policy forbids both),
// pictures as inline SVG, dark and printed forms by CSS. The ranking, and for each of the first
// kMostDrawn beacons timeline, intervals, signals, explanation and ids to pivot on; what is cut
// off is said. Whatever comes from an input is escaped.
void write_html(const HuntReport& report, std::ostream& out);

}  // namespace beaconry
