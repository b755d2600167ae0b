#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "fleet/drift.h"
#include "fleet/reported.h"

// Whatever a sensor's key sends: what is taken is read the same from what is kept of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto report = beaconry::Reported::parse({reinterpret_cast<const char*>(data), size});
  if (!report) return 0;
  (void)beaconry::root_causes(report->health);
  for (const auto& each : beaconry::drift({{"beacon_0", "aa", true}}, *report))
    (void)each.words();
  const auto again = beaconry::Reported::parse(R"({"boot":"b","machine":"m","reported":)" +
                                               report->state_json + '}');
  if (!again || again->state_json != report->state_json) std::abort();
  return 0;
}
