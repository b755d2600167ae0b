#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "sensor/client.h"

namespace beaconry {

// What a wait has come to: done, in vain (with the words why), or still under way.
struct Waited {
  bool done = false;
  std::string failure;
};

// Looks at an instance until `look` says that it is done or in vain, telling on standard error what
// changes; after `patience` it is in vain. `look` gets null where there is no such instance.
Result<void> wait_for(SensorClient& sensor, const std::string& name, std::chrono::seconds patience,
                      const std::function<Waited(const Json& instance)>& look);

// Running and healthy, of the image `fingerprint` (empty: any). In vain: broken, finished, a failed
// update, one that waits for approval. Its last lines are part of the words.
Waited is_well(const Json& instance, const std::string& fingerprint);
Waited is_stopped(const Json& instance);
// The wished configuration is applied. In vain: refused.
Waited has_config(const Json& instance, std::uint64_t version);

}  // namespace beaconry
