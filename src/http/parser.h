#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace beaconry {

// Bytes to messages: RFC 9112 as Boost.Beast reads it, and stricter where two readers of the same
// bytes could disagree on where a request ends (request smuggling).

// The end of a message's head in `bytes`. `scanned` is where the next call goes on: 0 at first.
struct HeadScan {
  enum class State { incomplete, complete, malformed } state = State::incomplete;
  std::size_t size = 0;  // with the empty line, where it is complete
};
HeadScan scan_head(std::string_view bytes, std::size_t& scanned);

// Why a message is not taken, with the status that a server answers.
struct BadMessage {
  int status = 400;
  std::string_view why;
};

// One request.
class RequestParser {
 public:
  RequestParser();
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // A whole head. Absolute targets become paths, with their host as the header `host`.
  std::optional<BadMessage> take_head(std::string_view head);
  HttpRequest& request();  // after take_head(); its body grows by take_body()
  bool is_http_1_0() const;
  bool keep_alive() const;
  bool done() const;                                    // nothing more belongs to this request
  std::optional<std::uint64_t> content_length() const;  // empty: chunked, or no body
  void limit_body(std::size_t most);

  // Bytes of the body. What was not used comes again with the next call, or belongs to the next
  // request once this one is done().
  std::optional<BadMessage> take_body(std::string_view bytes, std::size_t& used);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One response, in any pieces.
class ResponseParser {
 public:
  // `to_head`: of a request HEAD, whose response has no body.
  ResponseParser(bool to_head, std::size_t most_head, std::size_t most_body);
  ~ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  std::optional<BadMessage> take(std::string_view bytes, std::size_t& used);
  bool take_end();  // the connection was closed: false if that cuts the response short
  bool head_done() const;
  bool done() const;
  bool keep_alive() const;
  HttpResponse& response();  // names of headers in lower case

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace beaconry
