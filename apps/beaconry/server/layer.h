#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "server/json_rows.h"

namespace beaconry {

// Layers of what sensors shall be, as the command line reads and sends them: docs/formats/fleet.md.

// "/api/v1/fleet/desired/group%3Aot" of "group:ot"; an error names what a target may be.
Result<std::string> layer_path(const std::string& target);

// Whether an instance's image is told by NAME, NAME:VERSION or the first digits, not by its
// SHA-256.
bool names_images(const Json& layer);
// These become the SHA-256 of what `images` (of GET /api/v1/fleet/images) has of that name: of the
// version, else the one that was added last. Returns a line for each, "beacon_0: beacon 1.2,
// 9f2c…". An error names the instance and the remedy.
Result<std::vector<std::string>> resolve_images(Json& layer, const Json& images);

// The SHA-256 of an image that a person names so, of an incomplete one too where it is told by its
// digits. An error names the remedy.
Result<std::string> find_image(const Json& images, const std::string& given);

// "site=oulu" sets, "site-" removes: as a patch (RFC 7396) of a sensor's labels.
Result<Json> label_patch(const std::vector<std::string>& changes);

}  // namespace beaconry
