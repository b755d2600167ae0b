#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "sensor/client.h"
#include "sensor/waited.h"

namespace beaconry {

// Looks at an instance until `look` says that it is done or in vain, telling on standard error what
// changes; after `patience` it is in vain. `look` gets null where there is no such instance.
Result<void> wait_for(SensorClient& sensor, const std::string& name, std::chrono::seconds patience,
                      const std::function<Waited(const Json& instance)>& look);

}  // namespace beaconry
