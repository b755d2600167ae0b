#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

// A whole small file, or standard input for "-". A longer one than `most_bytes` is refused with the
// limit in the error, before more than that is held.
Result<std::string> read_small_file(const std::string& path, std::size_t most_bytes);

// Puts `content` in the place of a file, or makes it (mode 0600): durable when this returns, and at
// any moment the file holds either all of the old content or all of the new.
Result<void> replace_file(const std::string& path, std::string_view content);

}  // namespace beaconry
