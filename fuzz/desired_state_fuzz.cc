#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sensor/desired_state.h"
#include "sensor/instance.h"

// The desired state could come from afar. What is taken must come out as it went in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (const auto state = beaconry::DesiredState::parse(bytes)) {
    const std::string json = state->to_json();
    const auto again = beaconry::DesiredState::parse(json);
    if (!again || again->to_json() != json) std::abort();
  }
  (void)beaconry::parse_interfaces(bytes);
  (void)beaconry::InstanceMemory::parse(bytes);
  return 0;
}
