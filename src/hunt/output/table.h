#pragma once
#include <string>

#include "hunt/hunt_report.h"
#include "hunt/output/terminal.h"

namespace beaconry {

// The listed pairs as a table that fits the terminal, then a summary. WHY is shortened first, then
// the names; addresses never are. Texts from inputs are made harmless; severities are coloured
// where the terminal wants colour. A column CHANGE stands in front when the report was compared
// with an earlier one, and with --all a column HIDDEN tells why a pair is not in the usual list.
std::string table_text(const HuntReport& report, const Terminal& terminal);

// `text` in the colour of a severity, or as it is.
std::string in_colour(const std::string& text, Confidence severity, bool colour);

}  // namespace beaconry
