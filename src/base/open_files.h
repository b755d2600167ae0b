#pragma once
#include <cstddef>
#include <string_view>

namespace beaconry {

// What RLIMIT_NOFILE, raised as far as it may be, leaves of `wanted` connections beside the
// descriptors that the rest of the program needs; at least one. Warns in the name of `who` where
// that is less than half.
std::size_t allowed_connections(std::size_t wanted, std::string_view who);

}  // namespace beaconry
