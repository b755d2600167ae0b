#pragma once

#include <nlohmann/json_fwd.hpp>

#include "config/document.h"

namespace beaconry {

// A YAML subtree as JSON, by YAML 1.2's core schema: plain true, false, null and numbers are such,
// all else and all that is quoted is text. Members are sorted by name.
nlohmann::json yaml_to_json(const ConfigNode& node);

}  // namespace beaconry
