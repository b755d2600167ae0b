#pragma once

#include <cstdint>
#include <string>

#include "sensor/reported_state.h"

namespace beaconry {

// Which running system reports, and the how manieth time.
struct ReportHead {
  std::string boot, machine;
  std::uint64_t sequence = 0;
};

// {"boot", "machine", "sequence", "reported"} as the server takes it: `desired_version` is that of
// the server's document, and no text is longer than it may be.
std::string report_body(const SensorReport& report, const ReportHead& head);

// Equal for reports that say the same: without times that pass and counters that count.
std::string report_meaning(const SensorReport& report);

// Of this machine: boot_id, and machine-id or else its host name.
ReportHead read_report_head();
// Milliseconds since its boot: grows over restarts of the daemon.
std::uint64_t since_boot();

}  // namespace beaconry
