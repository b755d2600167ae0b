#pragma once

#include <string>

namespace beaconry {

// Who says each value of the desired state (JSON): {"/instances/beacon_0/config/every":
// "group:ot"}. Of instances of files it is the file, of those of commands "command"; of the
// server's its layer, as the document's `fleet_origin_json` has it, and "default" where none of
// them says it.
std::string origin_json(const std::string& desired_json, const std::string& fleet_origin_json);

}  // namespace beaconry
