#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "server/access.h"
#include "server/json_rows.h"

namespace beaconry {

// Pieces of an image are sent so long; a cut connection costs one.
constexpr std::size_t kImagePiece = std::size_t{4} << 20;

// Brings FILE.instrument and the signature beside it, FILE.instrument.minisig, to the server. What
// is there of an earlier try is not sent again. `progress` hears how much is there, of how much.
// Returns the image as the server then knows it.
Result<Json> upload_image(Server& server, const std::string& file,
                          const std::function<void(std::uint64_t, std::uint64_t)>& progress);

}  // namespace beaconry
