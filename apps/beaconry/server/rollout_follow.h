#pragma once
#include <string>

#include "server/access.h"
#include "server/json_rows.h"

namespace beaconry {

// Shows a rollout as it goes, full screen on a terminal and else a line a change, until it has
// ended or somebody ends it. The server may go and come back meanwhile. Returns it as it is then;
// `heard` hears the server's events.
Result<Json> follow_rollout(Server& asked, Server& heard, const std::string& path);

}  // namespace beaconry
