#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "fleet_storm/simulated_sensor.h"

namespace beaconry::bench {

// What the server's database holds against what sensors told, event by event.
struct StoredEvents {
  std::uint64_t expected = 0, stored = 0;
  std::uint64_t missing = 0;  // told, not there
  std::uint64_t strange = 0;  // there, never told, told once only, or with another time or text
};

struct ToldEvents {
  unsigned sensor = 0;
  std::string edge;
  std::vector<EventRun> runs;
};

Result<StoredEvents> check_stored_events(const std::string& database,
                                         const std::vector<ToldEvents>& told);

}  // namespace beaconry::bench
