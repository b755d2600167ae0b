#pragma once
#include <optional>

#include "control/route.h"

namespace beaconry {

// The answer to who is no enrolled sensor that speaks by its own key: what a sensor does in its own
// name, nobody else does for it.
std::optional<HttpResponse> refuse_others(const Control& control, const RouteCall& call);

}  // namespace beaconry
