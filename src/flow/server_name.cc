#include "flow/server_name.h"

#include <libpsl.h>

#include "base/ip_address.h"
#include "base/text.h"

namespace beaconry {

std::string_view normalise_server_name(std::string_view text, std::string& buffer) {
  if (!text.empty() && text.front() == '[') return {};  // [v6]:port
  const auto colon = text.find(':');
  if (colon != std::string_view::npos) {
    if (text.find(':', colon + 1) != std::string_view::npos) return {};  // a bare IPv6 address
    text = text.substr(0, colon);
  }
  while (!text.empty() && text.back() == '.')
    text.remove_suffix(1);
  if (text.empty() || text == "-" || text == "(empty)" || IpAddress::parse(text)) return {};
  buffer.assign(text.substr(0, kLongestServerName));
  for (char& c : buffer) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return buffer;
}

std::string_view registered_domain(std::string_view name) {
  // libpsl wants a terminated string; names are bounded by their normalisation.
  char copy[kLongestServerName + 1];
  if (name.size() > kLongestServerName || name.find('\0') != std::string_view::npos) return name;
  name.copy(copy, name.size());
  copy[name.size()] = '\0';
  const char* domain = psl_registrable_domain(psl_builtin(), copy);
  if (domain == nullptr) return name;
  return name.substr(static_cast<std::size_t>(domain - copy));
}

}  // namespace beaconry
