#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace beaconry {

// The two parts of an http:// or https:// address that a client needs.
struct FetchUrl {
  bool tls = false;
  std::string server;  // "https://host:port"
  std::string target;  // "/path?query"

  std::string to_string() const { return server + target; }
  std::string without_query() const;  // what may be shown: queries hold keys
};

// Refuses what else there is: other schemes, users and passwords, blanks and control characters.
std::optional<FetchUrl> parse_fetch_url(std::string_view text);
// Where a redirection from `base` leads (RFC 3986 §5.2: absolute, //host, /path or relative to the
// path's folder); dot segments stay as they are, which servers resolve.
std::optional<FetchUrl> follow_location(const FetchUrl& base, std::string_view location);

}  // namespace beaconry
