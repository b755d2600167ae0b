#pragma once
#include <map>
#include <string>

#include "base/result.h"
#include "fleet/fleet.h"
#include "fleet/image_store.h"
#include "http/message.h"

namespace beaconry {

// How many sensors are wished to have each image.
std::map<std::string, std::size_t> images_used(const Fleet& fleet);
// Who needs an image, in words; empty: nobody. Sensors, layers, and rollouts under way.
Result<std::string> image_users(const Fleet& fleet, const std::string& sha256);

// Its signature, as text.
HttpResponse signature_answer(const ImageStore& images, const std::string& sha256);

}  // namespace beaconry
