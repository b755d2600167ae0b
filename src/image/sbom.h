#pragma once

#include <string>

#include "image/base_root.h"
#include "image/manifest.h"

namespace beaconry {

// The bill of materials of an image's root as SPDX 2.3 JSON: every file with SHA-1 and SHA-256, and
// the Debian or Alpine packages that they come from. It follows from its arguments and from the
// host's packages alone: times are the epoch's.
Result<std::string> make_sbom(const Manifest& manifest, const BaseRoot& root);

}  // namespace beaconry
