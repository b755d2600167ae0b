#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "config/values.h"
#include "detect/allow_list.h"
#include "detect/benign_baseline.h"
#include "detect/settings.h"
#include "flow/networks.h"

namespace beaconry {

// What `hunt --config FILE` reads: the keys that users of the predecessor know, and ours. Sections
// of the other programs are accepted and not looked into. docs/configuration.md lists the keys.
struct HuntConfig {
  DetectionSettings detection;
  AllowList allow;  // the section `whitelist`; entries name file and line as their origin
  BenignBaseline baseline;
  Networks networks;
  ConfigValues values;  // every key with its origin

  HuntConfig();  // everything at its default

  static Result<HuntConfig> read(const std::string& path);
  static Result<HuntConfig> parse(std::string text, std::string file);

  // What the file holds that a hunt does not use, in one sentence to say once; empty for nothing.
  std::string ignored() const;
};

// All keys of the file, for reading and for the documentation.
ConfigSchema hunt_config_schema();

}  // namespace beaconry
