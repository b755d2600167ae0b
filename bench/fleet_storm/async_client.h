#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/endpoint.h"
#include "http/event_loop.h"
#include "http/parser.h"
#include "http/stream.h"

namespace beaconry::bench {

// What came of connections, of all clients. Loop's thread.
struct Traffic {
  std::uint64_t connects = 0;  // begun
  std::uint64_t refused = 0;   // nobody listened
  std::uint64_t failed = 0;    // broken or too late, from connecting to an answer
  std::uint64_t handshakes = 0;
  std::uint64_t busy = 0;  // 429 and 503
};

// HTTP/1.1 over TLS with a key of its own, as HttpClient speaks it, but a thousand of them on one
// event loop: the same stream, parser and patience. Belongs to the loop's thread.
class AsyncClient {
 public:
  using Clock = std::chrono::steady_clock;
  struct Answer {
    int status = 0;     // 0: none
    std::string body;   // of a stream that was answered with 200: empty
    std::string error;  // why there is none
  };
  struct Request {
    std::string method, target, type, body;
    std::string encoding = {};  // of the body; empty: none
  };

  AsyncClient(EventLoop& loop, Traffic& traffic, Endpoint server, TlsContext tls)
      : loop_(loop), traffic_(traffic), server_(std::move(server)), tls_(std::move(tls)) {}

  bool busy() const { return state_ != State::idle; }
  // REQUIRES !busy(). `done` may send the next one.
  void send(Request request, std::function<void(Answer)> done);
  // An answer without end: `take` gets it in pieces, first an empty one once it was granted;
  // `ended` tells why it ended.
  void stream(std::string target, std::function<void(std::string_view)> take,
              std::function<void(Answer)> ended);
  void close();                                // without a word to anybody
  void check_patience(Clock::time_point now);  // now and then

 private:
  enum class State { idle, connecting, handshake, writing, reading };

  void begin();
  void connect();
  void progress();
  bool step();  // false: waits, or the exchange is over
  bool wait_or_fail(Stream::Status status);
  bool take_answer();
  void fail(std::string why, bool refused = false);
  void finish(Answer answer);
  void drop();

  EventLoop& loop_;
  Traffic& traffic_;
  const Endpoint server_;
  const TlsContext tls_;
  State state_ = State::idle;
  std::optional<Stream> stream_;
  std::optional<Watch> watch_;
  std::unique_ptr<ResponseParser> parser_;
  std::string out_, in_;
  std::size_t out_at_ = 0;
  bool is_reused_ = false, nothing_came_ = true, is_stream_ = false, is_granted_ = false;
  Clock::time_point deadline_{};
  std::function<void(std::string_view)> take_;
  std::function<void(Answer)> done_;
};

}  // namespace beaconry::bench
