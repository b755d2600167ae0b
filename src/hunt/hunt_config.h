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

// What detection takes from the configuration file (config/keys.h): for `hunt --config FILE`, and
// for the server.
struct HuntConfig {
  DetectionSettings detection;
  AllowList allow;  // the section `whitelist`; entries name file and line as their origin
  BenignBaseline baseline;
  Networks networks;
  ConfigValues values;  // every key with its origin

  HuntConfig();  // everything at its default

  static Result<HuntConfig> read(const std::string& path);
  static Result<HuntConfig> parse(std::string text, std::string file);

  // Of values of config_schema(): what the ranges of single keys do not tell is checked here, such
  // as weights that do not sum to 1. Errors name the place of what is wrong.
  static Result<HuntConfig> make(ConfigValues values);

  // What the file holds that a hunt does not use, in one sentence to say once; empty for nothing.
  std::string ignored() const;
};

}  // namespace beaconry
