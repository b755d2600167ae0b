#pragma once
#include "detect/allow_list.h"
#include "detect/benign_baseline.h"
#include "hunt/hunt_report.h"

namespace beaconry {

// Marks what the users' own decisions take out of the default list, each with the words that say
// which entry did it. Nothing is removed: --all shows it. A pair that is already hidden keeps its
// first reason.
void apply_allow_list(const AllowList& allow, HuntReport& report);
void apply_baseline(const BenignBaseline& baseline, HuntReport& report);

// A named pair that a decision has hidden stands for no one: address pairs that carry more than its
// traffic come back. Call when all decisions have been applied.
void reveal_represented(HuntReport& report);

// Hides what scored less than `least`, last of all.
void apply_least_score(double least, HuntReport& report);

}  // namespace beaconry
