#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/ip_address.h"

namespace beaconry {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// Who sent a request. (A server answers HEAD itself: its handler sees GET.)
struct HttpPeer {
  IpAddress address;
  std::uint16_t port = 0;
  bool unix_socket = false;
  bool tls = false;
  std::string key;  // SHA-256 of the client certificate's public key, 64 hex digits; empty: none

  bool is_local() const { return unix_socket || address.is_loopback(); }
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  // with the query, as sent; of an absolute one only the path
  HttpHeaders headers;       // names in lower case
  std::string body;
  HttpPeer peer;  // on the server's side

  std::string_view header(std::string_view lower_case_name) const;  // the first, or empty
  std::string path() const;  // percent-decoded, without the query
  // The query's parameters, decoded, in their order.
  std::vector<std::pair<std::string, std::string>> parameters() const;
};

// Events to one client that keeps its connection open (text/event-stream). Made by a handler; any
// thread pushes. What a slow client does not take is bounded: past it the stream ends.
class EventStream {
 public:
  virtual ~EventStream() = default;
  // False once the client is gone.
  virtual bool push(std::string_view event, std::string_view data, std::string_view id = {}) = 0;
  virtual bool is_open() const = 0;
  virtual void close() = 0;  // what waits is still sent

  static std::shared_ptr<EventStream> make(std::size_t most_bytes = 1 << 20);
};

// A part of a file, read as the client takes it: a piece at a time is held. One that is shorter by
// then ends the connection.
struct HttpFilePart {
  Fd file;
  std::uint64_t offset = 0, bytes = 0;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  HttpHeaders headers;
  std::string body;
  std::shared_ptr<EventStream> events;  // instead of a body
  std::shared_ptr<HttpFilePart> file;   // also

  std::string_view header(std::string_view lower_case_name) const;
};

}  // namespace beaconry
