#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/document_history.h"
#include "image/manifest.h"
#include "sensor/desired_state.h"

namespace beaconry {

// What of a wish an image runs with that is not the wished one: the one before, while an update
// waits or after it was taken back. The wish was checked against the wished image; another one gets
// of it what its own manifest takes.

// The wish's where they fit; else those that it ran with last (JSON, as the desired state has them;
// empty: unknown); else those of the wish that it knows.
std::vector<InterfaceWish> interfaces_for(const InstanceWish& wish, const Manifest& manifest,
                                          const std::string& proven);

struct GivenConfig {
  std::string json;
  std::uint64_t version = 0;  // of `configs`; 0: none
};
// The wish's where its schema takes it; else the newest version that it takes; else its defaults.
GivenConfig config_for(const InstanceWish& wish, const Manifest& manifest,
                       const DocumentHistory* configs);

}  // namespace beaconry
