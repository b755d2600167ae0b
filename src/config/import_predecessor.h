#pragma once
#include <string>
#include <vector>

#include "base/result.h"

namespace beaconry {

struct ImportedConfig {
  std::string text;  // a configuration of ours, with comments; read by config_schema()
  std::vector<std::string> changes;  // what is otherwise than in the old file, and why: a line each
};

// Makes a configuration of the predecessor's file. Nothing that it says is dropped in silence: what
// would leave the server open, or beacons unseen, is put right and told; keys that neither program
// knows are left out and told; what only looks doubtful is kept and told. Values that cannot be
// read are errors with their line.
Result<ImportedConfig> import_predecessor(std::string text, std::string file);

}  // namespace beaconry
