#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "uplink/flow_batch.h"

namespace beaconry {

// The edge that an instance of a sensor is: SHA-256 of "SENSOR/INSTANCE", 64 hex digits, where
// SENSOR is the fingerprint of the sensor's key.
std::string relayed_edge(std::string_view sensor, std::string_view instance);

// The batch inside of one that a sensor relays, under the name and the clock that the sensor
// vouches for. What the inner envelope says of its edge does not count. Refused unless flows.
Result<Envelope> open_relayed(const Envelope& outer, std::size_t most_bytes);

}  // namespace beaconry
