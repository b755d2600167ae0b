#pragma once

#include <string>

#include "base/result.h"
#include "image/root_tree.h"

namespace beaconry {

// A file of the host, or a folder with all that is in it but Python's caches, at `path` in the
// tree. Modes become 0755 for what anybody may execute and 0644 for all else, so that the umask of
// whoever builds leaves no trace.
Result<void> copy_from_host(RootTree& tree, const std::string& host, const std::string& path);
// A program or a file of a package at its own path: links are kept, and followed.
Result<void> copy_same_path(RootTree& tree, const std::string& path);
// What dynamic programs and libraries that came from the host need, by their loader; but not those
// whose loader the base has.
Result<void> add_libraries(RootTree& tree, const RootTree& base, bool base_is_given);

}  // namespace beaconry
