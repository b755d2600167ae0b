#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/target.h"

namespace beaconry {

struct Proxy {
  HostPort at;                // with its port
  std::string authorization;  // value of Proxy-Authorization, or empty. A secret
};

// Which proxy leads to a server, after the variables http_proxy, https_proxy, all_proxy and
// no_proxy (in capitals too, but HTTP_PROXY, which a CGI program's client can set). None leads to
// loopback. `variable` gives one's value, empty where it is not set.
Result<std::optional<Proxy>> proxy_for(
    const Url& url, const std::function<std::string(const std::string&)>& variable);

}  // namespace beaconry
