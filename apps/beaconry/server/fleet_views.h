#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "server/json_rows.h"

namespace beaconry {

// The server's answers about the fleet on a terminal, as server/views.h has the others. `now` says
// how long ago a time was.

// What is wrong, each root once, the one that meets the most sensors first; then what there is.
Result<std::string> fleet_text(std::string_view json, Timestamp now);
Result<std::string> fleet_sensors_text(std::string_view json, Timestamp now);
Result<std::string> fleet_sensors_csv(std::string_view json);

// One sensor: how it is and why, what it told, what of the wish it has not.
std::string fleet_sensor_text(const Json& sensor, Timestamp now, bool all_health);
// Its wish, a line a value with the layer that it is from: "/instances/…/every: 60    # group:ot".
std::string fleet_origin_text(const Json& sensor);
// A line a difference, under each sensor's name; of answers of GET /api/v1/fleet/sensors/NAME.
std::string fleet_drift_text(const Json& sensors);

Result<std::string> fleet_groups_text(std::string_view json);
Result<std::string> fleet_versions_text(std::string_view json);
// What a change of a layer does: of PUT /api/v1/fleet/desired/TARGET.
std::string fleet_change_text(const Json& answer);

Result<std::string> fleet_images_text(std::string_view json);
std::string fleet_image_text(const Json& image);

Result<std::string> fleet_rollouts_text(std::string_view json, Timestamp now);
std::string fleet_rollout_text(const Json& rollout, Timestamp now);
// "group:ot  running: 3 of 14 done, 2 changing, 9 waiting": on one line.
std::string fleet_rollout_line(const Json& rollout);
// Nothing happens to it any more, but for latecomers.
bool has_rollout_ended(const Json& rollout);

}  // namespace beaconry
