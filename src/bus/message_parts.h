#pragma once

#include <nlohmann/json_fwd.hpp>

#include "bus/json_fields.h"
#include "bus/messages.h"

namespace beaconry {

// What messages of both directions are made of. Readers leave a complaint in `fields`.
nlohmann::json to_json(const Event& event);
Event event_of(JsonFields& fields);
nlohmann::json to_json(const Health& health);
Health health_of(JsonFields& fields);

}  // namespace beaconry
