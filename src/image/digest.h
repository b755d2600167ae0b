#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

std::string sha256_of(std::string_view bytes);
std::string sha1_hex(std::string_view bytes);  // SPDX wants it beside SHA-256; it secures nothing

struct FileDigest {
  std::string sha256;  // 64 hex digits
  std::uint64_t bytes = 0;
};
// Of a file of any length, read once; longer than `most_bytes`: ErrorKind::limit.
Result<FileDigest> sha256_file(const std::string& path, std::uint64_t most_bytes);

}  // namespace beaconry
