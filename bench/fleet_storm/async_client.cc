#include "fleet_storm/async_client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace beaconry::bench {
namespace {

// As HttpClient has them.
constexpr std::chrono::seconds kConnectPatience{5}, kAnswerPatience{30};
constexpr std::chrono::seconds kStreamPatience{45};  // three heartbeats
constexpr std::size_t kMostHead = 64 << 10, kMostBody = 16 << 20;

}  // namespace

void AsyncClient::send(Request request, std::function<void(Answer)> done) {
  out_ = request.method + ' ' + request.target + " HTTP/1.1\r\nHost: " + server_.to_string() +
         "\r\nUser-Agent: beaconry\r\nAccept: */*\r\n";
  if (!request.type.empty()) out_ += "Content-Type: " + request.type + "\r\n";
  if (!request.encoding.empty()) out_ += "Content-Encoding: " + request.encoding + "\r\n";
  if (request.method != "GET") {
    out_ += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  out_ += "\r\n" + request.body;
  is_stream_ = false;
  done_ = std::move(done);
  begin();
}

void AsyncClient::stream(std::string target, std::function<void(std::string_view)> take,
                         std::function<void(Answer)> ended) {
  out_ = "GET " + target + " HTTP/1.1\r\nHost: " + server_.to_string() +
         "\r\nUser-Agent: beaconry\r\nAccept: text/event-stream\r\n\r\n";
  is_stream_ = true;
  take_ = std::move(take);
  done_ = std::move(ended);
  begin();
}

void AsyncClient::begin() {
  out_at_ = 0;
  in_.clear();
  is_granted_ = false;
  nothing_came_ = true;
  parser_ = std::make_unique<ResponseParser>(false, kMostHead, kMostBody);
  is_reused_ = stream_.has_value();
  if (!stream_) {
    connect();
  } else {
    state_ = State::writing;
    deadline_ = Clock::now() + kAnswerPatience;
  }
  // Callers may be in the midst of something: what comes of it is told from the loop.
  if (state_ != State::idle) progress();
}

void AsyncClient::connect() {
  ++traffic_.connects;
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(server_.port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int made = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at);
  const int why = made == 0 ? 0 : errno;
  const int fd = socket.get();
  stream_.emplace(Stream::connect(std::move(socket), tls_, {}, server_.address.to_string()));
  watch_.emplace(loop_, fd, [this] { progress(); });
  state_ = State::connecting;
  deadline_ = Clock::now() + kConnectPatience;
  if (why != 0 && why != EINPROGRESS) {
    loop_.post([this, why] {
      if (state_ == State::connecting) fail(std::strerror(why), why == ECONNREFUSED);
    });
    return;
  }
  watch_->wait_writable();
}

void AsyncClient::progress() {
  while (step()) {
  }
}

bool AsyncClient::wait_or_fail(Stream::Status status) {
  if (status == Stream::Status::want_read) {
    watch_->wait_readable();
  } else if (status == Stream::Status::want_write) {
    watch_->wait_writable();
  } else {
    fail(stream_->error().empty() ? "the server closed the connection" : stream_->error());
  }
  return false;
}

bool AsyncClient::step() {
  switch (state_) {
    case State::idle:
      return false;
    case State::connecting: {
      int why = 0;
      socklen_t size = sizeof why;
      ::getsockopt(stream_->socket(), SOL_SOCKET, SO_ERROR, &why, &size);
      if (why != 0) {
        fail(std::strerror(why), why == ECONNREFUSED);
        return false;
      }
      sockaddr_in peer{};
      size = sizeof peer;
      if (::getpeername(stream_->socket(), reinterpret_cast<sockaddr*>(&peer), &size) != 0) {
        watch_->wait_writable();
        return false;
      }
      state_ = State::handshake;
      return true;
    }
    case State::handshake: {
      const auto done = stream_->handshake();
      if (done.status != Stream::Status::ok) return wait_or_fail(done.status);
      ++traffic_.handshakes;
      state_ = State::writing;
      deadline_ = Clock::now() + kAnswerPatience;
      return true;
    }
    case State::writing: {
      if (out_at_ == out_.size()) {
        state_ = State::reading;
        return true;
      }
      const auto sent = stream_->write(std::string_view(out_).substr(out_at_));
      if (sent.status != Stream::Status::ok) return wait_or_fail(sent.status);
      out_at_ += sent.bytes;
      return true;
    }
    case State::reading: {
      std::array<char, 16 << 10> space;
      const auto got = stream_->read(space);
      if (got.status != Stream::Status::ok) return wait_or_fail(got.status);
      nothing_came_ = false;
      in_.append(space.data(), got.bytes);
      return take_answer();
    }
  }
  return false;
}

bool AsyncClient::take_answer() {
  std::size_t used = 0;
  if (const auto bad = parser_->take(in_, used)) {
    fail("the answer is not HTTP/1.1: " + std::string(bad->why));
    return false;
  }
  in_.erase(0, used);
  if (is_stream_ && parser_->head_done() && parser_->response().status == 200) {
    deadline_ = Clock::now() + kStreamPatience;
    if (!std::exchange(is_granted_, true)) take_({});
    const std::string piece = std::exchange(parser_->response().body, {});
    if (!piece.empty() && state_ == State::reading) take_(piece);
    return state_ == State::reading;
  }
  if (!parser_->done()) return true;
  Answer answer;
  answer.status = parser_->response().status;
  answer.body = std::move(parser_->response().body);
  if (answer.status == 429 || answer.status == 503) ++traffic_.busy;
  if (!parser_->keep_alive()) drop();
  finish(std::move(answer));
  return false;
}

void AsyncClient::fail(std::string why, bool refused) {
  // The server may close an idle connection at any time: that is no failure of the request.
  const bool again = is_reused_ && nothing_came_ && !is_stream_;
  drop();
  if (again) {
    out_at_ = 0;
    is_reused_ = false;
    return connect();
  }
  ++(refused ? traffic_.refused : traffic_.failed);
  finish({0, {}, std::move(why)});
}

void AsyncClient::finish(Answer answer) {
  state_ = State::idle;
  std::string().swap(out_);
  parser_.reset();
  take_ = {};
  if (const auto done = std::exchange(done_, {})) done(std::move(answer));
}

void AsyncClient::drop() {
  watch_.reset();
  stream_.reset();
}

void AsyncClient::close() {
  drop();
  state_ = State::idle;
  parser_.reset();
  take_ = {};
  done_ = {};
}

void AsyncClient::check_patience(Clock::time_point now) {
  if (state_ != State::idle && now > deadline_) fail("no answer in time");
}

}  // namespace beaconry::bench
