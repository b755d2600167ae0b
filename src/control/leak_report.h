#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/probes.h"
#include "leak/leak.h"

namespace beaconry {

// Leaks and probes as one page of HTML that needs no network, runs no script and prints well.
struct LeakReport {
  struct Row {
    Leak leak;
    std::string probe;     // its name
    std::string decision;  // of triage; may be empty
  };
  struct Heard {
    KeptProbe probe;
    std::optional<Timestamp> last_heard, last_control;
  };
  Timestamp made{};
  std::string filter;  // what it is limited to, in words; empty: nothing
  std::vector<Row> leaks;
  std::vector<Heard> probes;
};
std::string leak_report_html(const LeakReport& report);

}  // namespace beaconry
