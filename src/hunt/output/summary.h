#pragma once
#include <string>
#include <vector>

#include "hunt/hunt_report.h"

namespace beaconry {

// What a hunt read, scored, found, hid, refused and dropped: one paragraph an entry, for people.
// Texts from inputs are made harmless for a terminal.
std::vector<std::string> summary_lines(const HuntReport& report);

// What to tell when no beacon is listed: that there is none, how near the nearest came, what these
// data could not have shown, and what to do next. Empty where beacons are listed.
std::string nothing_found_words(const HuntReport& report);

// "22 medium, 3 low", commonest ladder rung first; empty where there is no beacon.
std::string severities_words(const Totals& sum);

}  // namespace beaconry
