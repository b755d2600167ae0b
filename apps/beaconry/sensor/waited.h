#pragma once
#include <cstdint>
#include <string>

#include "server/json_rows.h"

namespace beaconry {

// What a wait has come to: done, in vain (with the words why), or still under way. All judge one
// look at an instance (docs/formats/sensor-state.md); null: there is none.
struct Waited {
  bool done = false;
  std::string failure;
};

// Running and healthy; or stopped, where it shall not run. With a `fingerprint` of that image, and
// no update under way: then a failed one, and one that is wished for instead, are in vain. In vain
// too: broken, finished, waiting for approval. Its last lines are part of the words.
Waited is_well(const Json& instance, const std::string& fingerprint);
Waited is_stopped(const Json& instance);
// Each of its resources was looked for since `before`. In vain: one failed.
Waited has_looked(const Json& before, const Json& instance);
// The wished configuration is applied. In vain: refused.
Waited has_config(const Json& instance, std::uint64_t version);
// What helps one that did not come to it in time: the remedy of its health, unless that is to wait
// on, and the last lines of one that fails again and again.
std::string late_words(const Json& instance);

}  // namespace beaconry
