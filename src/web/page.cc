#include "web/page.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "web/gzip.h"

namespace beaconry {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src "
    "'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

constexpr std::string_view kMissing =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Beaconry</title></head>"
    "<body><h1>Beaconry</h1><p>This beaconry-control was built without its web page.</p><p>To "
    "build "
    "it with: install nodejs 18 or newer and npm (scripts/setup build does), then run cmake "
    "--preset "
    "release -DBEACONRY_WEB=ON and build again.</p><p>The command line shows the same: beaconry "
    "watch. The API is described at <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p>"
    "</body></html>\n";

HttpResponse with_headers(int status, std::string_view content_type) {
  HttpResponse response;
  response.status = status;
  response.content_type = content_type;
  response.headers.emplace_back("content-security-policy", kPolicy);
  response.headers.emplace_back("x-content-type-options", "nosniff");
  response.headers.emplace_back("referrer-policy", "no-referrer");
  response.headers.emplace_back("cross-origin-resource-policy", "same-origin");
  return response;
}

HttpResponse not_found() {
  HttpResponse response = with_headers(404, "text/plain; charset=utf-8");
  response.headers.emplace_back("cache-control", "no-store");
  response.body = "There is no such file; the page is at /ui/\n";
  return response;
}

// Calls `each` with the list's items, trimmed, until it returns true.
template <class Each>
bool any_of_list(std::string_view list, const Each& each) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (each(trim(list.substr(0, comma)))) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

// RFC 9110 §12.4.2: q=0 means "not acceptable".
bool is_refused(std::string_view parameters) {
  const std::size_t at = parameters.find("q=");
  if (at == std::string_view::npos) return false;
  const std::string_view value = trim(parameters.substr(at + 2));
  return value.substr(0, 1) == "0" && value.find_first_of("123456789") == std::string_view::npos;
}

bool takes_gzip(const HttpRequest& request) {
  bool named = false, any = false;
  any_of_list(request.header("accept-encoding"), [&](std::string_view item) {
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    const std::string coding = ascii_lower(trim(item.substr(0, semicolon)));
    const bool taken = !is_refused(item.substr(semicolon));
    if (coding == "gzip" || coding == "x-gzip") {
      named = true;
      any = taken;
    } else if (coding == "*" && !named) {
      any = taken;
    }
    return false;
  });
  return any;
}

bool climbs(std::string_view path) {
  if (path.find_first_of(std::string_view("\\\0", 2)) != std::string_view::npos) return true;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (path.substr(0, slash) == "..") return true;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return false;
}

}  // namespace

bool wants_page(const HttpRequest& request) {
  return any_of_list(request.header("accept"), [](std::string_view item) {
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    return ascii_lower(trim(item.substr(0, semicolon))) == "text/html" &&
           !is_refused(item.substr(semicolon));
  });
}

HttpResponse WebPage::answer(const HttpRequest& request, std::string_view path) const {
  const auto find = [&](std::string_view wanted) {
    return std::find_if(assets_.begin(), assets_.end(),
                        [&](const WebAsset& one) { return one.path == wanted; });
  };
  if (climbs(path)) return not_found();
  auto asset = find(path);
  if (asset == assets_.end()) {
    if (path.substr(0, 7) == "assets/") return not_found();
    asset = find("index.html");
  }
  if (asset == assets_.end()) {
    HttpResponse response = with_headers(assets_.empty() ? 503 : 404, "text/html; charset=utf-8");
    response.headers.emplace_back("cache-control", "no-store");
    response.body = kMissing;
    return response;
  }

  HttpResponse response = with_headers(200, asset->content_type);
  response.headers.emplace_back("vary", "Accept-Encoding");
  if (asset->path == "index.html") {
    // It names the files of one build: an old one would ask for files that are gone.
    response.headers.emplace_back("cache-control", "no-store");
  } else {
    // Weak: the same content is sent compressed and not.
    const std::string tag = "W/\"" + std::string(asset->tag) + '"';
    response.headers.emplace_back(
        "cache-control", asset->hashed ? "public, max-age=31536000, immutable" : "no-cache");
    response.headers.emplace_back("etag", tag);
    if (any_of_list(request.header("if-none-match"), [&](std::string_view known) {
          return known == "*" || known == tag || known == std::string_view(tag).substr(2);
        })) {
      response.status = 304;
      return response;
    }
  }
  if (takes_gzip(request)) {
    response.headers.emplace_back("content-encoding", "gzip");
    response.body.assign(asset->gzip.begin(), asset->gzip.end());
    return response;
  }
  auto plain = unpack_gzip(asset->gzip, asset->size);
  if (!plain) {
    log_error("web page, " + std::string(asset->path) + ": " + plain.error().message());
    response = with_headers(500, "text/plain; charset=utf-8");
    response.body = "This file of the page is damaged in the program\n";
    return response;
  }
  response.body = std::move(*plain);
  return response;
}

}  // namespace beaconry
