#pragma once

#include "config/schema.h"

namespace beaconry {

// An instrument's processes share 8,192 open files, and each needs 16.
constexpr unsigned kMostProcesses = 512;

// The keys of manifest.yaml. What stands under config.schema and config.defaults is the author's.
ConfigSchema manifest_schema();

}  // namespace beaconry
