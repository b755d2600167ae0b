#pragma once
#include <string>
#include <string_view>

namespace beaconry {

constexpr std::size_t kLongestServerName = 255;  // RFC 1035 §2.3.4; longer ones are cut to this

// A server's name as it stands in SNI, a Host header or a CONNECT target, made comparable: lower
// case, without port and final dot. Empty where it names nobody: an address, "-", "(empty)", "".
// Writes into `buffer`, which must live as long as the result.
std::string_view normalise_server_name(std::string_view text, std::string& buffer);

// The part of a normalised DNS name that somebody registered, by the public suffix list:
// "a.b.example.co.uk" -> "example.co.uk". The name itself where it is a suffix or has none. A view
// into `name`.
std::string_view registered_domain(std::string_view name);

}  // namespace beaconry
