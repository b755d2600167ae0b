#include "http/connection.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "http/response_text.h"
#include "http/server_core.h"

namespace beaconry {
namespace {

constexpr std::size_t kHeadRead = 16 << 10;  // what is over belongs to nobody yet: keep it small
constexpr std::size_t kChunkedRead = 64 << 10;
constexpr std::size_t kMostUnusedBody = 32 << 10;  // a chunk's header or trailers
constexpr std::size_t kFilePiece = 64 << 10;
constexpr std::size_t kMergedBody = 16 << 10;  // a copy is cheaper than a second packet
constexpr char kTlsHandshake = 22;  // RFC 8446 §5.1: what every TLS connection begins with
constexpr int kStepsAtOnce = 16;    // then others have their turn
constexpr std::chrono::seconds kLingering{2};
constexpr std::uint64_t kLeastBytesASecond = 1'000;

bool may_begin_method(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

Connection::Connection(ServerCore& core, std::uint64_t id, Stream stream, HttpPeer peer,
                       IpAddress place)
    : core_(core), id_(id), place_(place), stream_(std::move(stream)), peer_(std::move(peer)) {
  watch_.emplace(core_.loop(), stream_.socket(), [this] { progress(); });
}

Connection::~Connection() {
  if (events_) events_->detach();
}

void Connection::begin() {
  if (stream_.is_tls()) {
    state_ = State::handshake;
    deadline_ = Clock::now() + core_.options().header_timeout;
    progress();
    return;
  }
  become_idle();
  watch_->wait_readable();
}

void Connection::begin_either() {
  either_ = true;
  begin();
}

void Connection::refuse(HttpResponse response) {
  state_ = State::handling;
  unread_ = true;
  respond(std::move(response));
  progress();
}

void Connection::progress() {
  for (int i = 0; i < kStepsAtOnce; ++i) {
    if (state_ == State::gone || !step()) return;
  }
  core_.wake(id_);
}

bool Connection::step() {
  switch (state_) {
    case State::handshake:
      return shake_hands();
    case State::idle:
      return either_ ? tell_tls() : read_head();
    case State::head:
      return read_head();
    case State::body:
      return read_body();
    case State::writing:
      return write_answer();
    case State::streaming:
      return write_events();
    case State::lingering:
      return linger();
    case State::handling:
    case State::gone:
      break;
  }
  return false;
}

bool Connection::wait_or_end(Stream::Status status) {
  switch (status) {
    case Stream::Status::want_read:
      watch_->wait_readable();
      break;
    case Stream::Status::want_write:
      watch_->wait_writable();
      break;
    default:
      end();
  }
  return false;
}

bool Connection::tell_tls() {
  char first = 0;
  const auto got = stream_.peek(first);
  if (got.status != Stream::Status::ok) {
    if (core_.is_stopping()) {
      end();
      return false;
    }
    return wait_or_end(got.status);
  }
  either_ = false;
  if (first != kTlsHandshake) return true;
  core_.become_busy(*this);
  stream_ = core_.accept(stream_.release());
  state_ = State::handshake;
  deadline_ = Clock::now() + core_.options().header_timeout;
  return true;
}

bool Connection::shake_hands() {
  const auto done = stream_.handshake();
  if (done.status == Stream::Status::ok) {
    peer_.tls = true;
    peer_.key = stream_.peer_key();
    become_idle();
    return true;
  }
  if (done.status == Stream::Status::failed || done.status == Stream::Status::closed) {
    ++core_.counters().tls_failures;
    if (stream_.met_plain_http()) {
      stream_.drop_tls();
      unread_ = true;
      respond_error(400, "this port speaks HTTPS: use https://");
      return true;
    }
  }
  return wait_or_end(done.status);
}

bool Connection::read_head() {
  while (in_.starts_with("\r\n"))  // RFC 9112 §2.2
    in_.erase(0, 2);
  const bool malformed = !in_.empty() && in_ != "\r" && !may_begin_method(in_.front());
  const HeadScan scan =
      malformed ? HeadScan{HeadScan::State::malformed, 0} : scan_head(in_, scanned_);
  if (!in_.empty() && state_ == State::idle) {
    state_ = State::head;
    core_.become_busy(*this);
    deadline_ = Clock::now() + core_.options().header_timeout;
  }
  if (scan.state == HeadScan::State::malformed) {
    ++core_.counters().malformed;
    unread_ = true;
    respond_error(400, "this is not HTTP/1.1; and if it is TLS, this port is without");
    return true;
  }
  const std::size_t most = core_.options().most_header_bytes;
  const bool complete = scan.state == HeadScan::State::complete;
  if ((complete ? scan.size : in_.size() + 1) > most) {
    ++core_.counters().malformed;
    unread_ = true;
    respond_error(431, "the header is longer than " + std::to_string(most) + " bytes");
    return true;
  }
  if (complete) {
    take_head(scan.size);
    return true;
  }
  if (in_.empty() && core_.is_stopping()) {
    end();
    return false;
  }
  const auto space = core_.scratch().first(std::min(kHeadRead, core_.scratch().size()));
  const auto got = stream_.read(space);
  if (got.status != Stream::Status::ok) {
    if (in_.empty()) std::string().swap(in_);
    return wait_or_end(got.status);
  }
  in_.append(space.data(), got.bytes);
  return true;
}

void Connection::take_head(std::size_t size) {
  parser_ = std::make_unique<RequestParser>();
  const auto bad = parser_->take_head(std::string_view(in_).substr(0, size));
  in_.erase(0, size);
  scanned_ = 0;
  unread_ = !parser_->done();
  if (bad) {
    ++core_.counters().malformed;
    unread_ = true;
    return respond_error(bad->status, bad->why);
  }
  ++core_.counters().requests;
  HttpRequest& request = parser_->request();
  request.peer = peer_;
  is_http_1_0_ = parser_->is_http_1_0();
  keep_alive_ = parser_->keep_alive();
  is_head_ = request.method == "HEAD";
  if (is_head_) request.method = "GET";
  if (!peer_.unix_socket) {
    const auto wait = core_.limits().request(peer_.address, Clock::now());
    if (wait.count() > 0) {
      ++core_.counters().rate_limited;
      HttpResponse response = error_response(429, "too many requests from this address");
      response.headers.emplace_back("Retry-After", std::to_string(wait.count()));
      return respond(std::move(response));
    }
  }
  const std::string expectation = ascii_lower(request.header("expect"));
  if (!expectation.empty() && expectation != "100-continue")
    return respond_error(417, "the only Expect here is 100-continue");
  HttpHandler::Admission admission;
  try {
    admission = core_.handler().admit(request);
  } catch (const std::exception& error) {
    log_error("admit " + request.method + " " + request.path() + ": " + error.what());
    return respond_error(500, "internal error");
  }
  if (admission.known) core_.limits().disconnect(std::exchange(place_, IpAddress{}));
  if (admission.refusal) return respond(std::move(*admission.refusal));
  most_body_ = admission.most_body;
  if (parser_->content_length().value_or(0) > most_body_) {
    return respond_error(413, "the body is larger than " + std::to_string(most_body_) + " bytes");
  }
  parser_->limit_body(most_body_);
  if (parser_->done()) return hand_out();
  if (!expectation.empty() && in_.empty() && !is_http_1_0_) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    if (stream_.write(kContinue).bytes != kContinue.size()) return end();  // 25 bytes always fit
  }
  state_ = State::body;
  start_transfer();
}

bool Connection::read_body() {
  const auto take = [&](std::string_view bytes, std::size_t& used) {
    const auto bad = parser_->take_body(bytes, used);
    if (!bad) return true;
    if (bad->status != 413) ++core_.counters().malformed;
    respond_error(bad->status, bad->why);
    return false;
  };
  if (!in_.empty()) {
    std::size_t used = 0;
    if (!take(in_, used)) return true;
    in_.erase(0, used);
    moved_ += used;
    if (parser_->done()) {
      hand_out();
      return true;
    }
  }
  // Chunks of a byte each, with long extensions, must not make a small body endless.
  if (in_.size() > kMostUnusedBody || moved_ > (64 << 10) + 8 * std::uint64_t{most_body_}) {
    ++core_.counters().malformed;
    respond_error(400, "malformed chunks");
    return true;
  }
  const auto length = parser_->content_length();
  const std::size_t wanted =
      length ? static_cast<std::size_t>(std::min<std::uint64_t>(*length - moved_, 1U << 30))
             : kChunkedRead;
  const auto space = core_.scratch().first(std::min(core_.scratch().size(), wanted));
  const auto got = stream_.read(space);
  if (got.status != Stream::Status::ok) return wait_or_end(got.status);
  moved_at_ = Clock::now();
  const std::string_view bytes(space.data(), got.bytes);
  if (!in_.empty()) {
    in_.append(bytes);
    return true;
  }
  std::size_t used = 0;
  if (!take(bytes, used)) return true;
  moved_ += used;
  in_.assign(bytes.substr(used));
  if (parser_->done()) hand_out();
  return true;
}

void Connection::hand_out() {
  unread_ = false;
  state_ = State::handling;
  HttpRequest request = std::move(parser_->request());
  parser_.reset();
  if (core_.hand_out(id_, std::move(request))) return;
  ++core_.counters().overloaded;
  HttpResponse response = error_response(503, "the server is busy");
  response.headers.emplace_back("Retry-After", "1");
  respond(std::move(response));
}

void Connection::answer(HttpResponse response) {
  if (state_ != State::handling) return;
  respond(std::move(response));
  progress();
}

void Connection::respond_error(int status, std::string_view words) {
  respond(error_response(status, words));
}

void Connection::respond(HttpResponse response) {
  if (state_ == State::idle) core_.become_busy(*this);
  parser_.reset();
  keep_alive_ = keep_alive_ && !unread_ && !core_.is_stopping();
  events_ = std::dynamic_pointer_cast<EventQueue>(response.events);
  if (events_) {
    keep_alive_ = false;
    response.content_type = "text/event-stream";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Accel-Buffering", "no");  // nginx would gather them
    response.body.clear();
  }
  const bool no_body = response.status == 204 || response.status == 304;
  std::optional<std::size_t> length;
  if (!events_ && !no_body)
    length = response.file ? static_cast<std::size_t>(response.file->bytes) : response.body.size();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  out_ = response_head(response, length, keep_alive_,
                       std::chrono::duration_cast<std::chrono::seconds>(now).count());
  out_body_.clear();
  file_.reset();
  if (response.file && !events_) {
    if (!is_head_ && !no_body) file_ = std::move(response.file);
  } else if (!is_head_ && !no_body) {
    if (response.body.size() <= kMergedBody) {
      out_ += response.body;
    } else {
      out_body_ = std::move(response.body);
    }
  }
  out_at_ = 0;
  start_transfer();
  state_ = State::writing;
  if (events_ && is_head_) std::exchange(events_, nullptr)->close();
  if (!events_) return;
  state_ = State::streaming;
  ++core_.counters().streams;
  // The stream may outlive the server, but not unknown to it: detach().
  events_->attach([&core = core_, id = id_] { core.wake(id); });
  if (core_.is_stopping()) events_->close();
}

bool Connection::flush(bool& done) {
  const std::size_t total = out_.size() + out_body_.size();
  while (out_at_ < total) {
    const bool in_head = out_at_ < out_.size();
    const std::string_view rest = in_head
                                      ? std::string_view(out_).substr(out_at_)
                                      : std::string_view(out_body_).substr(out_at_ - out_.size());
    const auto sent = stream_.write(rest);
    if (sent.status != Stream::Status::ok) return wait_or_end(sent.status);
    out_at_ += sent.bytes;
    moved_ += sent.bytes;
    moved_at_ = Clock::now();
  }
  done = true;
  return true;
}

// From the disk on the loop's thread: mostly what the kernel holds already, and little at once.
bool Connection::refill() {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(file_->bytes, kFilePiece));
  out_.clear();
  out_body_.resize(wanted);
  out_at_ = 0;
  ssize_t got = 0;
  do {
    got = ::pread(file_->file.get(), out_body_.data(), wanted, static_cast<off_t>(file_->offset));
  } while (got < 0 && errno == EINTR);
  if (got <= 0) {
    log_error("a file that is being sent cannot be read on");
    end();
    return false;
  }
  out_body_.resize(static_cast<std::size_t>(got));
  file_->offset += static_cast<std::uint64_t>(got);
  file_->bytes -= static_cast<std::uint64_t>(got);
  return true;
}

bool Connection::write_answer() {
  bool done = false;
  if (!flush(done)) return false;
  if (file_ && file_->bytes > 0) return refill();
  finish_answer();
  return true;
}

void Connection::finish_answer() {
  std::string().swap(out_);
  std::string().swap(out_body_);
  file_.reset();
  out_at_ = 0;
  if (!keep_alive_ || core_.is_stopping()) return start_lingering();
  become_idle();
}

bool Connection::write_events() {
  if (events_->overflowed()) {
    ++core_.counters().streams_cut;
    end();
    return false;
  }
  // Nothing is expected of the client but its end.
  const auto got = stream_.read(core_.scratch().first(1'024));
  if (got.status == Stream::Status::closed || got.status == Stream::Status::failed) {
    end();
    return false;
  }
  if (got.status == Stream::Status::want_read) watch_->wait_readable();
  if (out_at_ == out_.size()) {
    const bool open = events_->is_open();  // asked first: what came before the end is taken
    out_ = events_->take();
    out_at_ = 0;
    if (out_.empty()) {
      std::string().swap(out_);
      if (open) return got.status == Stream::Status::ok;
      start_lingering();
      return true;
    }
    start_transfer();
  }
  bool done = false;
  return flush(done);
}

void Connection::start_lingering() {
  if (events_) {
    events_->detach();
    events_.reset();
    --core_.counters().streams;
  }
  // Closing with bytes unread would make the kernel send a reset, which can overtake the answer.
  stream_.say_goodbye();
  state_ = State::lingering;
  deadline_ = Clock::now() + kLingering;
}

bool Connection::linger() {
  const auto got = stream_.read_raw(core_.scratch());
  return got.status == Stream::Status::ok || wait_or_end(got.status);
}

void Connection::become_idle() {
  state_ = State::idle;
  scanned_ = 0;
  unread_ = is_head_ = false;
  deadline_ = Clock::now();
  core_.become_idle(*this);
}

void Connection::end() {
  if (state_ == State::gone) return;
  if (state_ == State::idle) core_.become_busy(*this);
  if (events_) {
    events_->detach();
    --core_.counters().streams;
  }
  state_ = State::gone;
  watch_.reset();
  core_.drop(*this);
}

void Connection::end_soon() {
  if (state_ == State::idle || state_ == State::handshake) return end();
  if (state_ == State::streaming) events_->close();
}

void Connection::start_transfer() {
  began_ = moved_at_ = Clock::now();
  moved_ = 0;
}

bool Connection::is_too_slow(Clock::time_point now, std::chrono::seconds timeout) const {
  if (now - moved_at_ > timeout) return true;
  const auto taken = std::chrono::duration_cast<std::chrono::seconds>(now - began_);
  return taken > timeout && moved_ < kLeastBytesASecond * static_cast<std::uint64_t>(taken.count());
}

void Connection::check(Clock::time_point now) {
  const auto& options = core_.options();
  switch (state_) {
    case State::idle:
      if (now - deadline_ > options.idle_timeout) end();
      break;
    case State::handshake:
    case State::lingering:
      if (now <= deadline_) break;
      if (state_ == State::handshake) ++core_.counters().timed_out;
      end();
      break;
    case State::head:
    case State::body:
      if (state_ == State::head ? now <= deadline_ : !is_too_slow(now, options.body_timeout)) break;
      ++core_.counters().timed_out;
      unread_ = true;
      respond_error(408, "the request came too slowly");
      progress();
      break;
    case State::writing:
      if (!is_too_slow(now, options.write_timeout)) break;
      ++core_.counters().timed_out;
      end();
      break;
    case State::streaming:
      if (out_at_ < out_.size() && is_too_slow(now, options.write_timeout)) {
        ++core_.counters().streams_cut;
        end();
      } else if (out_at_ == out_.size() && now - moved_at_ >= options.heartbeat) {
        out_ = ":\n\n";
        out_at_ = 0;
        start_transfer();
        progress();
      }
      break;
    case State::handling:
    case State::gone:
      break;
  }
}

}  // namespace beaconry
