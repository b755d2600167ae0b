#include "packet/http_request.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace beaconry {
namespace {

// RFC 9110 §9, RFC 5789, and WebDAV's that are seen in practice.
constexpr std::array<std::string_view, 16> kMethods = {
    "GET ",      "POST ",      "HEAD ",  "PUT ",   "DELETE ", "CONNECT ", "OPTIONS ", "TRACE ",
    "PROPFIND ", "PROPPATCH ", "PATCH ", "MKCOL ", "COPY ",   "MOVE ",    "LOCK ",    "REPORT "};

std::string_view method_of(std::string_view text) {
  for (const auto method : kMethods) {
    if (text.substr(0, method.size()) == method) return method;
  }
  return {};
}

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

// A host that could be one: visible ASCII only, so that hostile bytes never become a name.
FoundName checked(std::string_view host) {
  const bool visible =
      std::all_of(host.begin(), host.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (host.empty() || !visible) return {NameStatus::absent, {}};
  return {NameStatus::found, host};
}

// "http://user@host:80/path" -> "host:80"; empty for another form of target.
std::string_view authority_of(std::string_view target) {
  const auto scheme = target.find("://");
  if (scheme == std::string_view::npos || scheme > 8 || target.front() == '/') return {};
  std::string_view rest = target.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  const auto user = rest.rfind('@');
  return user == std::string_view::npos ? rest : rest.substr(user + 1);
}

}  // namespace

bool looks_like_http_request(ByteView bytes) {
  return !bytes.empty() && bytes[0] >= 'C' && bytes[0] <= 'T' && !method_of(as_text(bytes)).empty();
}

RequestedHost http_request(ByteView bytes) {
  std::string_view text = as_text(bytes);
  const std::string_view method = method_of(text);
  if (method.empty()) return {};
  const bool connect = method == "CONNECT ";
  std::size_t line_end = text.find('\n');
  if (line_end == std::string_view::npos) return {{NameStatus::needs_more, {}}, connect};

  std::string_view target = trim(text.substr(method.size(), line_end - method.size()));
  const auto blank = target.find(' ');
  if (blank == std::string_view::npos || target.substr(blank + 1, 5) != "HTTP/") return {};
  target = target.substr(0, blank);
  if (connect) return {checked(target), true};
  if (const auto authority = authority_of(target); !authority.empty()) {
    return {checked(authority), false};
  }

  for (;;) {
    text.remove_prefix(line_end + 1);
    line_end = text.find('\n');
    if (line_end == std::string_view::npos) return {{NameStatus::needs_more, {}}, false};
    const std::string_view line = text.substr(0, line_end);
    if (trim(line).empty()) return {{NameStatus::absent, {}}, false};
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && equal_ignoring_case(line.substr(0, colon), "host")) {
      return {checked(trim(line.substr(colon + 1))), false};
    }
  }
}

}  // namespace beaconry
