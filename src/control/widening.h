#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "fleet/fleet.h"
#include "fleet/image_store.h"

namespace beaconry {

// What the images of a layer's next document may do more than those that its sensors have, each
// once: "beacon_0: capability net_admin". By the manifests that the server has: of an image that it
// lacks, the sensor says so itself. What the document approves already is left out.
Result<std::vector<std::string>> widened_by(const Fleet& fleet, const ImageStore& images,
                                            const std::string& target, const std::string& after);

// What an approval of these words means for the layer's document: instance -> permission_digest().
// An error where the server does not know the image.
Result<std::map<std::string, std::string>> approvals(const ImageStore& images,
                                                     const std::string& document,
                                                     const std::vector<std::string>& words);

}  // namespace beaconry
