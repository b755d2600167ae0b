#pragma once
#include <string>

#include "server/access.h"

namespace beaconry {

// Brings an image and its signature from the server into a folder, as NAME_VERSION.instrument and
// NAME_VERSION.instrument.minisig. What is there already and whole is left; what an earlier try
// left is gone on with. The file is in place once its SHA-256 is the wished one. Returns its path.
Result<std::string> download_image(Server& server, const std::string& sha256,
                                   const std::string& folder);

}  // namespace beaconry
