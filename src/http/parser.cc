#include "http/parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>
#include <utility>

#include "base/text.h"
#include "http/target.h"

namespace beaconry {
namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

namespace {

constexpr std::size_t kMostHeaders = 100;
constexpr std::size_t kReservedAtOnce = std::size_t{4} << 20;  // the rest as it comes

// The library tells of each part of a message as it meets it; this keeps them.
template <bool request>
class Collector final : public http::basic_parser<request> {
 public:
  std::string method, target;
  int status = 0;
  int version = 11;
  HttpHeaders headers;
  std::string body;
  bool too_many = false;

 private:
  void on_request_impl(http::verb, string_view name, string_view where, int http_version,
                       error_code&) override {
    method.assign(name.data(), name.size());
    target.assign(where.data(), where.size());
    version = http_version;
  }
  void on_response_impl(int code, string_view, int http_version, error_code&) override {
    status = code;
    version = http_version;
  }
  void on_field_impl(http::field, string_view name, string_view value, error_code& error) override {
    if (headers.size() == kMostHeaders) {
      too_many = true;
      error = http::error::header_limit;
      return;
    }
    headers.emplace_back(ascii_lower({name.data(), name.size()}),
                         std::string(value.data(), value.size()));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
    if (length)
      body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, kReservedAtOnce)));
  }
  std::size_t on_body_impl(string_view bytes, error_code&) override {
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&) override {
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(error_code&) override {}
};

BadMessage words_for(const error_code& error, bool too_many) {
  if (too_many) return {431, "too many header fields"};
  if (error == http::error::body_limit) return {413, "the body is too large"};
  if (error == http::error::header_limit) return {431, "the header is too large"};
  if (error == http::error::bad_version) return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  if (error == http::error::bad_method) return {400, "malformed method"};
  if (error == http::error::bad_target) return {400, "malformed target"};
  if (error == http::error::bad_field || error == http::error::bad_value ||
      error == http::error::bad_obs_fold)
    return {400, "malformed header field"};
  if (error == http::error::bad_content_length || error == http::error::multiple_content_length)
    return {400, "malformed or contradictory Content-Length"};
  if (error == http::error::bad_transfer_encoding) return {400, "contradictory Transfer-Encoding"};
  if (error == http::error::bad_chunk || error == http::error::bad_chunk_extension)
    return {400, "malformed chunk"};
  return {400, "malformed HTTP"};
}

// A put() that takes all it can. The library reports what merely is not complete yet as an error.
template <bool request>
std::optional<BadMessage> put(Collector<request>& parser, std::string_view bytes,
                              std::size_t& used) {
  used = 0;
  while (used < bytes.size() && !parser.is_done()) {
    error_code error;
    const std::size_t count =
        parser.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
    used += count;
    if (error == http::error::need_more) return std::nullopt;
    if (error) return words_for(error, parser.too_many);
    if (count == 0) return std::nullopt;
  }
  return std::nullopt;
}

std::size_t count_of(const HttpHeaders& headers, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(
      headers.begin(), headers.end(), [&](const auto& header) { return header.first == name; }));
}

bool only_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// RFC 9112 §3.2.2: a server takes the absolute form, and its host before that of the header.
std::optional<BadMessage> to_origin_form(HttpRequest& request) {
  std::string& target = request.target;
  if (target.starts_with("/")) return std::nullopt;
  if (target == "*" && request.method == "OPTIONS") return std::nullopt;
  const auto mark = target.find("://");
  const std::string scheme = ascii_lower(std::string_view(target).substr(0, mark));
  if (mark == std::string::npos || (scheme != "http" && scheme != "https"))
    return BadMessage{400, "malformed target"};
  const auto slash = target.find_first_of("/?", mark + 3);
  const std::string host = target.substr(mark + 3, slash - mark - 3);
  if (!parse_host_port(host)) return BadMessage{400, "malformed target"};
  for (auto& [name, value] : request.headers) {
    if (name == "host") value = host;
  }
  std::string rest = slash == std::string::npos ? "" : target.substr(slash);
  if (!rest.starts_with("/")) rest.insert(0, "/");
  target = std::move(rest);
  return std::nullopt;
}

}  // namespace

HeadScan scan_head(std::string_view bytes, std::size_t& scanned) {
  const HeadScan malformed{HeadScan::State::malformed, 0};
  while (scanned < bytes.size()) {
    const std::size_t start = scanned;
    const auto end = bytes.find('\n', start);
    if (end == std::string_view::npos) {
      // Neither is legal anywhere in a head: do not wait for the line's end to say so.
      if (bytes.find('\0', start) != std::string_view::npos) return malformed;
      return {};
    }
    if (end == start || bytes[end - 1] != '\r') return malformed;
    const std::string_view line = bytes.substr(start, end - 1 - start);
    if (line.empty()) {
      if (start == 0) return malformed;
      return {HeadScan::State::complete, end + 1};
    }
    // A folded header field is read differently by different programs (RFC 9112 §5.2).
    if (line.front() == ' ' || line.front() == '\t') return malformed;
    if (line.find_first_of(std::string_view("\r\0", 2)) != std::string_view::npos) return malformed;
    scanned = end + 1;
  }
  return {};
}

struct RequestParser::Impl {
  Collector<true> parser;
  HttpRequest request;
};

RequestParser::RequestParser() : impl_(std::make_unique<Impl>()) {
  // The head is measured before it comes here; the body once the program has said how long it may
  // be.
  impl_->parser.header_limit(std::numeric_limits<std::uint32_t>::max());
  impl_->parser.body_limit(boost::none);
}
RequestParser::~RequestParser() = default;

std::optional<BadMessage> RequestParser::take_head(std::string_view head) {
  auto& parser = impl_->parser;
  std::size_t used = 0;
  parser.eager(false);
  if (auto bad = put(parser, head, used)) return bad;
  if (!parser.is_header_done() || used != head.size()) return BadMessage{400, "malformed HTTP"};
  parser.eager(true);
  auto& request = impl_->request;
  request.method = std::move(parser.method);
  request.target = std::move(parser.target);
  request.headers = std::move(parser.headers);
  if (parser.version != 10 && parser.version != 11)
    return BadMessage{505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  const std::size_t hosts = count_of(request.headers, "host");
  if (hosts > 1 || (hosts == 0 && parser.version == 11))
    return BadMessage{400, "a request needs one Host header"};
  if (hosts == 1 && !parse_host_port(request.header("host")))
    return BadMessage{400, "malformed Host header"};
  const std::size_t encodings = count_of(request.headers, "transfer-encoding");
  const std::size_t lengths = count_of(request.headers, "content-length");
  if (encodings > 0) {
    if (lengths > 0) return BadMessage{400, "both Content-Length and Transfer-Encoding"};
    if (parser.version == 10) return BadMessage{400, "HTTP/1.0 has no Transfer-Encoding"};
    if (encodings > 1 || ascii_lower(request.header("transfer-encoding")) != "chunked")
      return BadMessage{501, "the only Transfer-Encoding here is chunked"};
  }
  if (lengths > 1 || (lengths == 1 && !only_digits(request.header("content-length"))))
    return BadMessage{400, "malformed or contradictory Content-Length"};
  if (request.method == "CONNECT" || request.method == "TRACE")
    return BadMessage{501, "this method is not spoken here"};
  return to_origin_form(request);
}

HttpRequest& RequestParser::request() {
  return impl_->request;
}

bool RequestParser::is_http_1_0() const {
  return impl_->parser.version == 10;
}

bool RequestParser::keep_alive() const {
  return impl_->parser.keep_alive();
}

bool RequestParser::done() const {
  return impl_->parser.is_done();
}

std::optional<std::uint64_t> RequestParser::content_length() const {
  const auto length = impl_->parser.content_length();
  if (!length) return std::nullopt;
  return *length;
}

void RequestParser::limit_body(std::size_t most) {
  impl_->parser.body_limit(most);
  // From here on its header limit only bounds chunk headers and trailers.
  impl_->parser.header_limit(16 << 10);
}

std::optional<BadMessage> RequestParser::take_body(std::string_view bytes, std::size_t& used) {
  if (auto bad = put(impl_->parser, bytes, used)) return bad;
  if (done()) impl_->request.body = std::move(impl_->parser.body);
  return std::nullopt;
}

struct ResponseParser::Impl {
  Collector<false> parser;
  HttpResponse response;
  bool has_head = false;

  void move_parts() {
    if (parser.is_header_done() && !has_head) {
      has_head = true;
      response.status = parser.status;
      response.headers = std::move(parser.headers);
      response.content_type = std::string(response.header("content-type"));
    }
    if (response.body.empty()) {
      response.body.swap(parser.body);
    } else {
      response.body += parser.body;
      parser.body.clear();
    }
  }
};

ResponseParser::ResponseParser(bool to_head, std::size_t most_head, std::size_t most_body)
    : impl_(std::make_unique<Impl>()) {
  impl_->parser.header_limit(static_cast<std::uint32_t>(most_head));
  impl_->parser.body_limit(most_body);
  impl_->parser.skip(to_head);
  impl_->parser.eager(true);
}
ResponseParser::~ResponseParser() = default;

std::optional<BadMessage> ResponseParser::take(std::string_view bytes, std::size_t& used) {
  auto bad = put(impl_->parser, bytes, used);
  if (!bad) impl_->move_parts();
  return bad;
}

bool ResponseParser::take_end() {
  if (!impl_->parser.is_header_done()) return false;
  if (impl_->parser.is_done()) return true;
  error_code error;
  impl_->parser.put_eof(error);
  return !error;
}

bool ResponseParser::head_done() const {
  return impl_->has_head;
}

bool ResponseParser::done() const {
  return impl_->parser.is_done();
}

bool ResponseParser::keep_alive() const {
  return impl_->parser.keep_alive();
}

HttpResponse& ResponseParser::response() {
  return impl_->response;
}

}  // namespace beaconry
