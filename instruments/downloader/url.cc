#include "downloader/url.h"

#include <algorithm>

#include "base/text.h"
#include "http/target.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestUrl = 4096;

}  // namespace

std::string FetchUrl::without_query() const {
  return terminal_safe(server + target.substr(0, target.find('?')));
}

std::optional<FetchUrl> parse_fetch_url(std::string_view text) {
  if (text.size() > kLongestUrl ||
      std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c >= '\x7f'; })) {
    return std::nullopt;
  }
  FetchUrl url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string scheme = ascii_lower(text.substr(0, colon));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  url.tls = scheme == "https";
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const auto host = parse_host_port(rest.substr(0, end));
  if (!host || host->host.empty()) return std::nullopt;
  url.server = scheme + "://" + to_string(*host);
  rest.remove_prefix(end);
  url.target = rest.starts_with('/') ? std::string(rest) : '/' + std::string(rest);
  return url;
}

std::optional<FetchUrl> follow_location(const FetchUrl& base, std::string_view location) {
  location = trim(location);
  if (location.empty()) return std::nullopt;
  if (location.starts_with("//"))
    return parse_fetch_url((base.tls ? "https:" : "http:") + std::string(location));
  const std::size_t first = location.find_first_of(":/?#");
  if (first != std::string_view::npos && location[first] == ':') return parse_fetch_url(location);
  if (location.front() == '/') return parse_fetch_url(base.server + std::string(location));
  std::string path = base.target.substr(0, base.target.find('?'));
  if (location.front() != '?' && location.front() != '#') path.erase(path.rfind('/') + 1);
  return parse_fetch_url(base.server + path + std::string(location));
}

}  // namespace beaconry
