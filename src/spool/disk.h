#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace beaconry {

// Files and folders by their descriptors. Errors name `path`. A full disk or quota is
// ErrorKind::limit.
Result<Fd> open_file(const std::string& path, int flags);  // mode 0600
Result<void> make_folder(const std::string& path);         // mode 0700, with those above it
Result<std::vector<std::string>> file_names(const std::string& folder);
// All of the pieces, one behind the other, or an error; then some of them may have been written.
Result<void> write_at(const Fd& file, const std::string& path, std::uint64_t offset,
                      std::string_view first, std::string_view second = {});
// Up to `size` bytes: fewer only at the end of the file.
Result<std::string> read_at(const Fd& file, const std::string& path, std::uint64_t offset,
                            std::uint64_t size);
Result<std::uint64_t> file_size(const Fd& file, const std::string& path);
Result<void> sync_file(const Fd& file, const std::string& path);
Result<void> sync_folder(const std::string& path);

}  // namespace beaconry
