#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace beaconry {

// What the server asks of the program.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  struct Admission {
    std::optional<HttpResponse> refusal;  // answered at once, the body unread
    std::size_t most_body = std::size_t{1} << 20;
    // Its connection counts no more among those that its address may have: many who are known to
    // the handler may stand behind one.
    bool known = false;
  };
  // The request's head is there, its body is not. On the event loop: must be quick.
  virtual Admission admit(const HttpRequest& head) = 0;
  // On one of the workers; may block. Exceptions become a 500 and are logged.
  virtual HttpResponse handle(HttpRequest request) = 0;
};

// HTTP/1.1 on one event loop, with workers for the handler. Keep-alive; one request at a time a
// connection. Clients that send or read too slowly, and idle ones past their time, are cut off.
class HttpServer {
 public:
  struct Tls {
    std::string certificate_pem;  // chain: server, CA
    std::string key_pem;
    bool ask_for_client_certificate = true;  // any is taken: HttpPeer::key tells whose
    bool or_plain = false;  // the client's first byte tells which of the two it speaks
  };
  struct Options {
    // address:port, [address]:port, localhost:port, unix:/path (mode 0600; a stale one is replaced)
    std::vector<std::string> listen{"127.0.0.1:9090"};
    std::optional<Tls> tls;  // not for Unix sockets
    unsigned workers = 2;
    // Past it the longest idle one goes, else 503. Fewer where RLIMIT_NOFILE, which is raised to
    // its hard limit, allows only fewer.
    std::size_t most_connections = 20'000;
    std::size_t most_connections_a_client = 0;  // by address; 0: no limit. Loopback has none
    double requests_a_second_a_client = 0;      // token bucket with ten seconds' burst; 0: no limit
    std::size_t most_header_bytes = 16 << 10;
    std::size_t most_queued = 1024;  // requests that wait for a worker; past it 503
    std::chrono::seconds header_timeout{10};
    // For each of these two: nothing moved for so long, or after so long less than 1 kB a second.
    std::chrono::seconds body_timeout{60};
    std::chrono::seconds write_timeout{60};
    std::chrono::seconds idle_timeout{120};
    std::chrono::seconds heartbeat{15};  // a comment line in event streams, where nothing else is
  };
  struct Counters {
    std::uint64_t connections = 0, open = 0, requests = 0;
    std::uint64_t evicted = 0;  // idle connections closed to make place
    std::uint64_t refused_connections = 0, rate_limited = 0, timed_out = 0, malformed = 0;
    std::uint64_t tls_failures = 0, overloaded = 0;
    std::uint64_t streams = 0, streams_cut = 0;  // event streams open now; ended for slowness
  };

  // The handler outlives the server.
  static Result<std::unique_ptr<HttpServer>> start(const Options& options, HttpHandler& handler);
  virtual ~HttpServer() = default;  // stop()s
  // No new connections; running requests end, at most for `patience` (but a handler that does not
  // return is waited for). Any thread but the loop's and the workers'; a second call does nothing.
  virtual void stop(std::chrono::seconds patience) = 0;
  // Takes a new certificate without a restart.
  virtual Result<void> set_tls(const Tls& tls) = 0;
  virtual std::vector<std::string> endpoints() const = 0;  // with the ports that were bound
  virtual Counters counters() const = 0;
};

}  // namespace beaconry
