#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace beaconry {

// What a request wants of a file of so many bytes (RFC 9110 §14): one range. Several, another unit
// and what is malformed are left alone, as the standard has it: then it is the whole.
struct ByteRange {
  enum class Kind : std::uint8_t { whole, part, unsatisfiable } kind = Kind::whole;
  std::uint64_t first = 0, bytes = 0;
};
ByteRange parse_range(std::string_view header, std::uint64_t total);

// A file as an answer: 200, 206 or 416. `etag` is what its bytes are known by, without quotes; an
// If-Range that names another one gets the whole.
HttpResponse file_answer(const HttpRequest& request, Fd file, std::uint64_t total,
                         const std::string& etag);

}  // namespace beaconry
