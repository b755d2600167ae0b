#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sensor/sensor.h"

namespace beaconry {

// Bodies that are posted to the sensor's local API, read strictly. Errors name the field.

// Of an instance: what is named is changed. `create`: an image is required.
Result<Sensor::Change> parse_change(std::string_view json, bool create);

struct ExecRequest {
  std::vector<std::string> command;
  unsigned seconds = 60;
};
Result<ExecRequest> parse_exec(std::string_view json);

Result<std::uint64_t> parse_rollback(std::string_view json);  // {"to": N}
Result<std::string> parse_image_file(std::string_view json);  // {"file": "/path"}
Result<std::string> parse_desired(std::string_view json);     // {"desired": {…}}: the document
Result<void> parse_nothing(std::string_view json);            // empty, or {}

}  // namespace beaconry
