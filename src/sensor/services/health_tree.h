#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "bus/messages.h"
#include "sensor/reported_state.h"

namespace beaconry {

// Health as a tree: a whole is as bad as its worst part, and says the cause that is nearest to the
// root. Pure.

// What an instance's health is made of. `report` has its state, interfaces, storage, config,
// retention and events as the report shows them; `own` is what it says of itself.
Health instance_health(const InstanceReport& report, const Health& own,
                       const std::vector<Health>& others, Timestamp now);

// A whole of parts. Parts that are not healthy for the same cause become one, named after all of
// them, with the first ones' evidence: a lost interface is one cause, not five.
Health whole_health(const std::string& name, std::vector<Health> parts);

// Of a place with a bound: 90 % used, or full within 3 days, is degraded, 97 % failed. `what` is
// for the cause: "the storage pool". A `total` of 0: not known yet.
Health room_health(const std::string& name, const std::string& what, std::uint64_t used,
                   std::uint64_t total, std::optional<double> days_to_full, const std::string& fix);

// Parts that are in the state that they had keep their `since`, others begin at `now`; by name.
void keep_since(Health& health, const Health& before, Timestamp now);

}  // namespace beaconry
