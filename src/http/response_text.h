#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace beaconry {

std::string_view reason_phrase(int status);

// A short answer in the one form that errors have: {"error": "words"}.
HttpResponse error_response(int status, std::string_view words);

// Status line and header fields with the empty line. No length: the connection's end is the body's.
// Line breaks in fields become blanks: a handler cannot be made to forge a header.
std::string response_head(const HttpResponse& response, std::optional<std::size_t> length,
                          bool keep_alive, std::int64_t unix_seconds);

std::string http_date(std::int64_t unix_seconds);  // RFC 9110 §5.6.7

}  // namespace beaconry
