// Bytes as requests on one connection, as the server reads them, and as a response: what is read
// must not depend on the pieces in which it comes. The first byte is the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "http/parser.h"
#include "http/target.h"

namespace {
using namespace beaconry;

constexpr std::size_t kMostBody = 4'096;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const HttpRequest& request) {
  require(request.target.starts_with('/') || request.target == "*");
  require(request.body.size() <= kMostBody);
  (void)request.path();
  for (const auto& [name, value] : request.parameters())
    require(percent_decoded(percent_encoded(name)) == name && value.size() < request.target.size());
  if (const auto host = parse_host_port(request.header("host"))) {
    const auto again = parse_host_port(to_string(*host));
    require(again && again->host == host->host && again->port == host->port);
  }
}

// All that was understood, as one text.
std::string read_requests(std::string_view bytes, std::size_t piece) {
  std::string in, out;
  std::size_t scanned = 0;
  std::unique_ptr<RequestParser> parser;
  while (true) {
    if (!parser) {
      while (in.starts_with("\r\n"))
        in.erase(0, 2);
      const HeadScan head = scan_head(in, scanned);
      if (head.state == HeadScan::State::malformed) return out + "malformed head";
      if (head.state == HeadScan::State::complete) {
        parser = std::make_unique<RequestParser>();
        if (const auto bad = parser->take_head(std::string_view(in).substr(0, head.size)))
          return out + std::string(bad->why);
        in.erase(0, head.size);
        scanned = 0;
        if (parser->content_length().value_or(0) > kMostBody) return out + "too large";
        parser->limit_body(kMostBody);
      }
    }
    if (parser) {
      std::size_t used = 0;
      if (const auto bad = parser->take_body(in, used)) return out + std::string(bad->why);
      in.erase(0, used);
      if (parser->done()) {
        check(parser->request());
        out += parser->request().method + " " + parser->request().target + "\n" +
               parser->request().body + "\n";
        parser.reset();
        if (!in.empty()) continue;
      }
    }
    if (bytes.empty()) return out;
    in += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
}

void read_response(std::string_view bytes, std::size_t piece) {
  ResponseParser parser(false, 8'192, kMostBody);
  std::string in;
  while (!parser.done() && !bytes.empty()) {
    in += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    std::size_t used = 0;
    if (parser.take(in, used)) return;
    in.erase(0, used);
  }
  (void)parser.take_end();
  require(parser.response().body.size() <= kMostBody);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] + std::size_t{1};
  require(read_requests(text, piece) == read_requests(text, text.size() + 1));
  read_response(text, piece);
  (void)parse_url(text);
  return 0;
}
