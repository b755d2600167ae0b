#pragma once
#include <string>
#include <vector>

#include "escape/evidence.h"

namespace beaconry {

// What `beaconry-escape verify|report` and `beaconry escape verify|report` print.

// Nobody signed its end: the probe is running, was killed, or the end was cut off.
bool is_unfinished(const EvidenceReport& report);

// `file` as the user named it.
std::string verified_text(const std::string& file, const EvidenceReport& report);
// Coverage: each method's tries, answers, and why it was not tried.
std::string coverage_text(const EvidenceReport& report);
std::string coverage_json(const std::vector<EvidenceReport>& reports);
// Zone to zone: who heard whom. A line a listening probe, a column a sending one.
std::string matrix_text(const std::vector<EvidenceReport>& reports);

// A table with aligned columns, two blanks between them; the last one is not padded.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

}  // namespace beaconry
