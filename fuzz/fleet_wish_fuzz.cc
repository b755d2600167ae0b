#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sensor/fleet/fleet_wish.h"
#include "sensor/fleet/origin.h"

// A rightly signed document of a server that was taken over.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  (void)origin_json(bytes, bytes);
  const auto fleet = read_fleet_wish(bytes, false);
  if (!fleet) return 0;
  const CheckWish check = [](const InstanceWish& wish) -> Result<void> {
    if (wish.running) return {};
    return fail(ErrorKind::malformed, "take", wish.name, "it does not fit");
  };
  DesiredState before;
  std::map<std::string, FleetFault> faults;
  std::vector<std::string> problems;
  for (int round = 0; round < 2; ++round) {
    before = merge_fleet(before, before, *fleet, check, faults, problems);
    for (const auto& [name, wish] : before.instances) {
      if (wish.allow_unsigned || wish.source != kFleetSource || wish.image.size() != 64)
        std::abort();
    }
    if (!DesiredState::parse(before.to_json())) std::abort();
  }
  return 0;
}
