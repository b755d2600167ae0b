#pragma once
#include <cstddef>
#include <string>

#include "base/result.h"

namespace beaconry {

// A whole small file, or standard input for "-". A longer one than `most_bytes` is refused with the
// limit in the error, before more than that is held.
Result<std::string> read_small_file(const std::string& path, std::size_t most_bytes);

}  // namespace beaconry
