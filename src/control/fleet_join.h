#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "control/edges.h"
#include "fleet/fleet.h"

namespace beaconry {

// A sensor that redeemed an enrolment token becomes one of the fleet, or takes the place of the one
// that the token was made to replace, whose key is revoked then. Returns its name.
Result<std::string> join_fleet(Fleet& fleet, Edges& edges, const Edges::Edge& sensor,
                               std::string_view token, Timestamp now);
// At a start: who was enrolled or revoked while no fleet could be told, and replacements, new names
// and joins that a crash interrupted.
Result<void> settle_fleet(Fleet& fleet, Edges& edges, Timestamp now);
// What lost its key has no place in the fleet.
Result<void> forget_revoked(Fleet& fleet, const Edges& edges, Timestamp now);

}  // namespace beaconry
