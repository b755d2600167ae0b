#pragma once
#include <iosfwd>
#include <string>
#include <string_view>

#include "hunt/hunt_report.h"

namespace beaconry {

// The listed pairs as CSV (RFC 4180, but lines end in "\n"): one header line, one line a pair.
// Texts from inputs hold no control characters (written \xNN) and never begin as a formula does:
// such a cell gets a ' in front, as spreadsheets expect.
void write_csv(const HuntReport& report, std::ostream& out);

// A text as one cell.
std::string csv_cell(std::string_view text);

}  // namespace beaconry
