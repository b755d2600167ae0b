#pragma once
#include <string>

#include "escape/config.h"

namespace beaconry {

// Runs the probe on an interface until SIGTERM, SIGINT or SIGHUP, or one short cycle: opens the
// packet socket and the evidence, gives up every privilege, then tries. Lines go to standard
// output, each at once. With `once` a table of the methods follows them, and `answered` says
// whether home was reached both ways.
struct RunOutcome {
  bool answered = false;
};
Result<RunOutcome> run_probe(const ProbeConfig& config, const std::string& interface, bool once);

}  // namespace beaconry
