#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "control/route.h"
#include "fleet/fleet.h"
#include "hunt/output/json_writer.h"

namespace beaconry {

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts);
// A sensor as the API shows it in lists: its members, between begin() and end().
void write_sensor(JsonWriter& json, const Fleet& fleet, const FleetStore::Sensor& sensor,
                  Timestamp now);
// With everything that is known of it.
std::string sensor_json(const Fleet& fleet, const FleetStore::Sensor& sensor, Timestamp now);
// What there is in all, and what troubles it.
std::string fleet_json(const Fleet& fleet, Timestamp now);
// The answer to a trial of a change.
HttpResponse effect_answer(const Fleet::Effect& effect);
// The answer to a change of a layer, which the audit log gets, too.
HttpResponse edited_answer(const RouteCall& call, const Result<Fleet::Edited>& edited);

}  // namespace beaconry
