#include "http/response_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "base/text.h"

namespace beaconry {
namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
  for (const std::string_view part : {name, std::string_view(": "), value}) {
    for (const char c : part)
      out.push_back(static_cast<unsigned char>(c) < ' ' && c != '\t' ? ' ' : c);
  }
  out += "\r\n";
}

}  // namespace

std::string_view reason_phrase(int status) {
  struct Phrase {
    int status;
    std::string_view words;
  };
  static constexpr std::array kPhrases = {
      Phrase{200, "OK"},
      Phrase{201, "Created"},
      Phrase{202, "Accepted"},
      Phrase{204, "No Content"},
      Phrase{301, "Moved Permanently"},
      Phrase{302, "Found"},
      Phrase{303, "See Other"},
      Phrase{304, "Not Modified"},
      Phrase{307, "Temporary Redirect"},
      Phrase{400, "Bad Request"},
      Phrase{401, "Unauthorized"},
      Phrase{403, "Forbidden"},
      Phrase{404, "Not Found"},
      Phrase{405, "Method Not Allowed"},
      Phrase{406, "Not Acceptable"},
      Phrase{408, "Request Timeout"},
      Phrase{409, "Conflict"},
      Phrase{410, "Gone"},
      Phrase{411, "Length Required"},
      Phrase{412, "Precondition Failed"},
      Phrase{413, "Content Too Large"},
      Phrase{414, "URI Too Long"},
      Phrase{415, "Unsupported Media Type"},
      Phrase{417, "Expectation Failed"},
      Phrase{421, "Misdirected Request"},
      Phrase{422, "Unprocessable Content"},
      Phrase{429, "Too Many Requests"},
      Phrase{431, "Request Header Fields Too Large"},
      Phrase{500, "Internal Server Error"},
      Phrase{501, "Not Implemented"},
      Phrase{502, "Bad Gateway"},
      Phrase{503, "Service Unavailable"},
      Phrase{504, "Gateway Timeout"},
      Phrase{505, "HTTP Version Not Supported"},
      Phrase{507, "Insufficient Storage"},
  };
  for (const Phrase& one : kPhrases) {
    if (one.status == status) return one.words;
  }
  return "Status";
}

HttpResponse error_response(int status, std::string_view words) {
  HttpResponse out;
  out.status = status;
  out.body = "{\"error\": \"" + std::string(words) + "\"}\n";
  return out;
}

std::string response_head(const HttpResponse& response, std::optional<std::size_t> length,
                          bool keep_alive, std::int64_t unix_seconds) {
  std::string out = "HTTP/1.1 " + std::to_string(std::clamp(response.status, 100, 999)) + " ";
  out += reason_phrase(response.status);
  out += "\r\n";
  append_field(out, "Date", http_date(unix_seconds));
  if (!response.content_type.empty() && response.status != 204 && response.status != 304)
    append_field(out, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) {
    const std::string lower = ascii_lower(name);
    // Where the message ends is the server's to say.
    if (lower == "content-length" || lower == "transfer-encoding" || lower == "connection" ||
        lower == "date" || lower == "content-type")
      continue;
    append_field(out, name, value);
  }
  if (length) append_field(out, "Content-Length", std::to_string(*length));
  append_field(out, "Connection", keep_alive ? "keep-alive" : "close");
  out += "\r\n";
  return out;
}

std::string http_date(std::int64_t unix_seconds) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t when = unix_seconds;
  std::tm parts{};
  gmtime_r(&when, &parts);
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday],
                parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                parts.tm_min, parts.tm_sec);
  return out.data();
}

}  // namespace beaconry
