#pragma once

#include "config/schema.h"

namespace beaconry {

// The keys of manifest.yaml. What stands under config.schema and config.defaults is the author's.
ConfigSchema manifest_schema();

}  // namespace beaconry
