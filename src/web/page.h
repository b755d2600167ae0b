#pragma once
#include <span>
#include <string_view>

#include "http/message.h"
#include "web/assets.h"

namespace beaconry {

// The web page's files by path, to browsers: compressed where they take that, told from what they
// have by ETag, under a Content-Security-Policy that lets nothing from elsewhere in. Never touches
// the file system. Any thread.
class WebPage {
 public:
  explicit WebPage(std::span<const WebAsset> assets = web_assets()) : assets_(assets) {}

  // `path`: decoded, what stands behind /ui/. A path that is no file is a view of the page's own
  // (its router reads the address), so it is answered with index.html; but what is asked below
  // assets/, and what tries to climb, is not there: 404.
  HttpResponse answer(const HttpRequest& request, std::string_view path) const;

 private:
  std::span<const WebAsset> assets_;
};

// Whether this asks for a document, as a browser's address line does: Accept names text/html.
bool wants_page(const HttpRequest& request);

}  // namespace beaconry
