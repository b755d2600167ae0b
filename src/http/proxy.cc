#include "http/proxy.h"

#include <openssl/evp.h>

#include "base/ip_address.h"
#include "base/text.h"

namespace beaconry {
namespace {

std::string base64(std::string_view text) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

// One entry of no_proxy: *, a name and all below it, an address, a block; a port may follow.
bool matches(std::string_view entry, const HostPort& at, const std::optional<IpAddress>& address) {
  if (entry == "*") return true;
  if (address) {
    if (const auto block = Cidr::parse(entry)) return block->contains(*address);
  }
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  const bool below = entry.starts_with('.');
  if (below) entry.remove_prefix(1);
  const auto parsed = parse_host_port(entry);
  if (!parsed || (parsed->port && parsed->port != at.port)) return false;
  return at.host == parsed->host || at.host.ends_with("." + parsed->host);
}

}  // namespace

Result<std::optional<Proxy>> proxy_for(
    const Url& url, const std::function<std::string(const std::string&)>& variable) {
  const std::optional<Proxy> none;
  if (!url.unix_path.empty() || url.at.host == "localhost" || url.at.host.ends_with(".localhost"))
    return none;
  const auto address = IpAddress::parse(url.at.host);
  if (address && address->is_loopback()) return none;
  const auto first_of = [&](std::initializer_list<const char*> names) {
    for (const char* const name : names) {
      if (std::string value = variable(name); !value.empty()) return value;
    }
    return std::string();
  };
  const std::string exceptions = first_of({"no_proxy", "NO_PROXY"});
  for (const std::string_view entry : split(exceptions, ',')) {
    if (!trim(entry).empty() && matches(ascii_lower(trim(entry)), url.at, address)) return none;
  }
  std::string text = url.tls ? first_of({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
                             : first_of({"http_proxy", "all_proxy", "ALL_PROXY"});
  if (text.empty()) return none;
  Proxy proxy;
  const auto scheme = text.find("://");
  if (scheme != std::string::npos && ascii_lower(text.substr(0, scheme)) != "http")
    return fail(ErrorKind::unsupported, "use", "proxy",
                "only proxies of the form http://host:port are supported");
  if (scheme != std::string::npos) text.erase(0, scheme + 3);
  text = text.substr(0, text.find('/'));
  if (const auto mark = text.rfind('@'); mark != std::string::npos) {
    proxy.authorization = "Basic " + base64(percent_decoded(text.substr(0, mark)));
    text.erase(0, mark + 1);
  }
  const auto at = parse_host_port(text);
  if (!at)  // what it is may hold a password
    return fail(ErrorKind::usage, "use", "proxy",
                "the variable is no address; write http://host:port");
  proxy.at = *at;
  if (!proxy.at.port) proxy.at.port = std::uint16_t{3128};
  return std::optional<Proxy>(std::move(proxy));
}

}  // namespace beaconry
