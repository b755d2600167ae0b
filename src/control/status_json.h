#pragma once
#include "hunt/output/json_writer.h"

namespace beaconry {

class Control;

// Members that status and statistics share, each an object.
void write_storage(JsonWriter& json, const Control& control);
void write_analyzer(JsonWriter& json, const Control& control);
void write_alerter(JsonWriter& json, const Control& control);
// The members of /api/v1/status, without the braces around them: also the event "status".
void write_status(JsonWriter& json, const Control& control);

}  // namespace beaconry
