#pragma once
#include "base/log.h"
#include "config/schema.h"
#include "config/values.h"

namespace beaconry {

// Every key of the configuration file, one file for all programs: each reads its own sections, and
// all refuse a typing error in any. The predecessor's keys are among them, in both of its
// spellings. docs/configuration.md shows them as a table.
ConfigSchema config_schema();

// The section `logging` as a program's log takes it.
LogOptions log_options(const ConfigValues& values);

}  // namespace beaconry
