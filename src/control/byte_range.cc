#include "control/byte_range.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "control/answer.h"

namespace beaconry {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (text.empty() || read.ptr != end) return std::nullopt;
  // Larger than any file: as good as its end.
  if (read.ec == std::errc::result_out_of_range) return UINT64_MAX;
  return read.ec == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace

ByteRange parse_range(std::string_view header, std::uint64_t total) {
  const ByteRange whole{ByteRange::Kind::whole, 0, total};
  constexpr std::string_view kUnit = "bytes=";
  if (ascii_lower(header.substr(0, kUnit.size())) != kUnit) return whole;
  const std::string_view range = trim(header.substr(kUnit.size()));
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) return whole;
  const auto first = number(range.substr(0, dash)), last = number(range.substr(dash + 1));
  const ByteRange nothing{ByteRange::Kind::unsatisfiable, 0, 0};
  if (dash == 0) {  // so many from the end
    if (!last) return whole;
    const std::uint64_t bytes = std::min(*last, total);
    return bytes == 0 ? nothing : ByteRange{ByteRange::Kind::part, total - bytes, bytes};
  }
  const bool open = dash + 1 == range.size();
  if (!first || (!open && (!last || *last < *first))) return whole;
  if (*first >= total) return nothing;
  const std::uint64_t end = open ? total - 1 : std::min(*last, total - 1);
  return {ByteRange::Kind::part, *first, end - *first + 1};
}

HttpResponse file_answer(const HttpRequest& request, Fd file, std::uint64_t total,
                         const std::string& etag) {
  const std::string tag = '"' + etag + '"';
  const std::string_view only_if = request.header("if-range");
  ByteRange range{ByteRange::Kind::whole, 0, total};
  if (only_if.empty() || only_if == tag) range = parse_range(request.header("range"), total);
  if (range.kind == ByteRange::Kind::unsatisfiable) {
    HttpResponse refused = error_answer(
        416, "it has " + std::to_string(total) + " bytes: none of them is in the range");
    refused.headers.emplace_back("Content-Range", "bytes */" + std::to_string(total));
    return refused;
  }
  HttpResponse response;
  response.content_type = "application/octet-stream";
  response.headers.emplace_back("ETag", tag);
  response.headers.emplace_back("Accept-Ranges", "bytes");
  if (range.kind == ByteRange::Kind::part) {
    response.status = 206;
    response.headers.emplace_back("Content-Range",
                                  "bytes " + std::to_string(range.first) + '-' +
                                      std::to_string(range.first + range.bytes - 1) + '/' +
                                      std::to_string(total));
  }
  response.file = std::make_shared<HttpFilePart>();
  response.file->file = std::move(file);
  response.file->offset = range.first;
  response.file->bytes = range.bytes;
  return response;
}

}  // namespace beaconry
