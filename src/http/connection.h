#pragma once
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "http/event_loop.h"
#include "http/event_stream.h"
#include "http/message.h"
#include "http/parser.h"
#include "http/stream.h"

namespace beaconry {

class ServerCore;

// One client's connection to the server: a state machine that goes as far as its socket lets it,
// and then waits. An idle one holds no buffer and no parser. Lives on the loop's thread.
class Connection {
 public:
  using Clock = std::chrono::steady_clock;

  Connection(ServerCore& core, std::uint64_t id, Stream stream, HttpPeer peer, IpAddress place);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void begin();
  void begin_either();                 // in TLS or without, as the client begins
  void refuse(HttpResponse response);  // instead of begin()
  void progress();                     // the socket is ready, or events wait
  void answer(HttpResponse response);  // to the request that was handed out
  void check(Clock::time_point now);   // ends what takes too long; heartbeats
  void end_soon();                     // the server stops: after what is under way

  std::uint64_t id() const { return id_; }
  const IpAddress& place() const { return place_; }  // in ClientLimits
  bool is_idle() const { return state_ == State::idle; }

  std::list<Connection*>::iterator idle_position;  // the server's, while is_idle()

 private:
  enum class State { handshake, idle, head, body, handling, writing, streaming, lingering, gone };

  // Each does one step: true if there may be more to do at once.
  bool step();
  bool tell_tls();
  bool shake_hands();
  bool read_head();
  bool read_body();
  bool write_answer();
  bool write_events();
  bool linger();

  bool wait_or_end(Stream::Status status);  // false, always: there is nothing to do now
  bool flush(bool& done);                   // of out_ and out_body_; false: waits or has ended
  bool refill();                            // out_body_, of file_; false: ended
  void take_head(std::size_t size);
  void hand_out();
  void respond(HttpResponse response);
  void respond_error(int status, std::string_view words);
  void finish_answer();
  void start_lingering();
  void become_idle();
  void end();
  bool is_too_slow(Clock::time_point now, std::chrono::seconds timeout) const;
  void start_transfer();

  ServerCore& core_;
  const std::uint64_t id_;
  IpAddress place_;  // none, the default one, once it does not count any more
  Stream stream_;
  HttpPeer peer_;
  std::optional<Watch> watch_;  // ends before the stream
  State state_ = State::idle;
  bool keep_alive_ = false;  // as far as the client is concerned
  bool either_ = false;      // idle, and nothing came yet that tells TLS from plain
  bool unread_ = false;      // of the request there is more to come that is not wanted
  bool is_head_ = false, is_http_1_0_ = false;

  std::string in_;           // received and not used
  std::size_t scanned_ = 0;  // of in_, by scan_head()
  std::unique_ptr<RequestParser> parser_;
  std::size_t most_body_ = 0;

  std::string out_, out_body_;  // being sent
  std::size_t out_at_ = 0;
  std::shared_ptr<HttpFilePart> file_;  // what follows
  std::shared_ptr<EventQueue> events_;

  Clock::time_point deadline_;          // of a handshake, a head, lingering; idle since
  Clock::time_point began_, moved_at_;  // of a body or an answer
  std::uint64_t moved_ = 0;             // bytes since began_
};

}  // namespace beaconry
