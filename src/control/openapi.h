#pragma once
#include <span>
#include <string>

#include "control/route.h"

namespace beaconry {

// The routes as an OpenAPI 3.0 document, and as docs/api.md.
std::string openapi_json(std::span<const Resource* const> resources);
std::string api_markdown(std::span<const Resource* const> resources);

}  // namespace beaconry
