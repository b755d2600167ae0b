#pragma once
#include <span>
#include <string>

#include "base/result.h"

namespace beaconry {

// Unpacks gzip of which it is known that `size` bytes come out; anything else is an error.
Result<std::string> unpack_gzip(std::span<const unsigned char> packed, std::size_t size);

}  // namespace beaconry
