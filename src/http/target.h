#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace beaconry {

// The parts of a request's target and of the hosts that name servers. All of these take foreign
// bytes.

// %41 becomes A; a % without two hex digits stays as it is. `form`: a + is a blank.
std::string percent_decoded(std::string_view text, bool form = false);
std::string percent_encoded(std::string_view text);  // all but RFC 3986's unreserved characters

std::string target_path(std::string_view target);  // decoded, without the query
// key=value pairs of the query, decoded; "key" alone has the value "".
std::vector<std::pair<std::string, std::string>> target_parameters(std::string_view target);

// RFC 3986 host, and port where there is one: a name, an IPv4 address, or an IPv6 address in
// brackets, which `host` is without. Letters are lower case.
struct HostPort {
  std::string host;
  std::optional<std::uint16_t> port;
};
std::optional<HostPort> parse_host_port(std::string_view text);
std::string to_string(const HostPort& host);

// http://host:port/prefix, https://…, unix:/path.
struct Url {
  bool tls = false;
  std::string unix_path;  // else the two below
  HostPort at;            // with its port
  std::string prefix;     // of every target: empty, or "/…" without a last slash
};
std::optional<Url> parse_url(std::string_view text);

}  // namespace beaconry
