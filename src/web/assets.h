#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace beaconry {

// A file of the built page, as it lies in the program.
struct WebAsset {
  std::string_view path;  // below /ui/: "index.html", "assets/index-1a2b3c4d.js"
  std::string_view content_type;
  std::string_view tag;  // of its content, hex digits
  std::span<const unsigned char> gzip;
  std::size_t size = 0;  // unpacked, bytes
  bool hashed = false;   // its name changes with its content: it may be kept forever
};

// Generated from web/; empty in a program that was built without the page.
std::span<const WebAsset> web_assets();

}  // namespace beaconry
