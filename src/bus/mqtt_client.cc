#include "bus/mqtt_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "base/fd.h"
#include "bus/mqtt_packet.h"

namespace beaconry {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kBlock = std::size_t{64} << 10;
constexpr std::size_t kReadAtOnce = std::size_t{1} << 20;  // of one work(): others have their turn
constexpr std::size_t kMostUnacknowledged = 16384;         // of the 65,535 numbers there are
constexpr std::size_t kMostAnswers = std::size_t{64} << 10;

tl::unexpected<Error> gone(std::string cause) {
  return fail(ErrorKind::io, "talk to", "the bus", std::move(cause));
}

class Client final : public MqttClient {
 public:
  Client(Options options, Fd socket) : options_(std::move(options)), socket_(std::move(socket)) {}

  ~Client() override {
    if (!fault_.empty() || !greeted_ || !out_.empty()) return;
    const std::string bye =
        mqtt::encode_disconnect();  // may fail: then the end of the socket says it
    [[maybe_unused]] const auto sent =
        ::send(socket_.get(), bye.data(), bye.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  Result<void> introduce() {
    out_ = mqtt::encode_connect({options_.client_id, options_.user, options_.password,
                                 static_cast<std::uint16_t>(std::clamp<std::int64_t>(
                                     options_.keep_alive.count(), 1, 0xffff))});
    if (out_.empty()) {
      return fail(ErrorKind::usage, "connect to", options_.socket, "too long a name or password");
    }
    return write();
  }

  Result<void> greet() {
    if (auto said = introduce(); !said) return said;
    return wait([this] { return greeted_; }, "CONNACK");
  }

  int descriptor() const override { return socket_.get(); }
  bool wants_write() const override { return written_ < out_.size(); }
  std::size_t unacknowledged() const override { return waiting_.size(); }

  milliseconds pause() const override {
    const auto due = (pinged_ ? *pinged_ + options_.keep_alive : heard_or_said() + half_alive());
    return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(due - Clock::now()));
  }

  Result<void> work(std::vector<Message>& messages) override {
    auto done = exchange();
    // What came before the connection ended is good.
    for (Message& message : kept_)
      messages.push_back(std::move(message));
    kept_.clear();
    kept_bytes_ = 0;
    return done;
  }

  Result<void> subscribe(const std::string& filter) override {
    if (!fault_.empty()) return gone(fault_);
    const std::uint16_t id = next_id();
    std::string packet = mqtt::encode_subscribe(filter, id);
    if (filter.empty() || packet.empty()) {
      return fail(ErrorKind::usage, "subscribe to", filter, "it is no topic filter");
    }
    out_ += packet;
    granted_.reset();
    subscribing_ = id;
    auto answered = wait([this] { return granted_.has_value(); }, "SUBACK");
    subscribing_ = 0;
    if (!answered) return answered;
    if (*granted_) return {};
    return fail(ErrorKind::unsupported, "subscribe to", filter, "the broker does not allow it");
  }

  Result<void> publish(const std::string& topic, std::string_view payload,
                       bool once_at_most) override {
    if (!fault_.empty()) return gone(fault_);
    if (topic.empty() || topic.find_first_of(std::string_view("+#\0", 3)) != std::string::npos) {
      return fail(ErrorKind::usage, "publish to", topic, "it is no topic");
    }
    if (topic.size() + payload.size() + 4 > options_.longest_packet) {
      return fail(ErrorKind::limit, "publish to", topic,
                  "longer than " + std::to_string(options_.longest_packet) + " bytes");
    }
    if (out_.size() - written_ > options_.most_waiting ||
        (!once_at_most && waiting_.size() >= kMostUnacknowledged)) {
      return fail(ErrorKind::limit, "publish to", topic, "the broker does not keep up");
    }
    const std::uint16_t id = once_at_most ? std::uint16_t{0} : next_id();
    std::string packet = mqtt::encode_publish(topic, payload, id);
    if (packet.empty()) {
      return fail(ErrorKind::usage, "publish to", "a topic", "it is longer than 65,535 bytes");
    }
    out_ += packet;
    if (id != 0) waiting_.insert(id);
    return write();
  }

 private:
  std::chrono::milliseconds half_alive() const {
    return std::chrono::duration_cast<milliseconds>(options_.keep_alive) / 2;
  }
  // A half-dead broker shows only by silence, so both directions must have been used.
  Clock::time_point heard_or_said() const { return std::min(heard_, said_); }

  Result<void> lost(std::string cause) {
    if (fault_.empty()) fault_ = std::move(cause);
    return gone(fault_);
  }

  Result<void> exchange() {
    if (!fault_.empty()) return gone(fault_);
    auto done = write();
    if (done) done = read();
    if (done) done = keep_alive();
    return done;
  }

  Result<void> keep_alive() {
    const auto now = Clock::now();
    if (pinged_ && now - *pinged_ > options_.keep_alive) return lost("the broker is silent");
    if (!pinged_ && now - heard_or_said() >= half_alive()) {
      out_ += mqtt::encode_ping();
      pinged_ = now;
    }
    return write();
  }

  template <class Done>
  Result<void> wait(const Done& done, const char* what) {
    const auto until = Clock::now() + options_.patience;
    for (;;) {
      auto worked = exchange();
      if (done()) return {};
      if (!worked) return worked;
      if (kept_bytes_ > options_.most_waiting) return lost("too much came before its answer");
      const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
      if (left.count() <= 0) return lost(std::string("the broker sends no ") + what);
      pollfd poll{socket_.get(), POLLIN, 0};
      if (wants_write()) poll.events |= POLLOUT;
      if (::poll(&poll, 1, static_cast<int>(std::min(left, pause() + milliseconds{1}).count())) <
              0 &&
          errno != EINTR) {
        return lost(std::strerror(errno));
      }
    }
  }

  Result<void> write() {
    while (written_ < out_.size()) {
      const ssize_t sent = ::send(socket_.get(), out_.data() + written_, out_.size() - written_,
                                  MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      if (sent < 0) return lost(std::strerror(errno));
      written_ += static_cast<std::size_t>(sent);
      said_ = Clock::now();
    }
    if (written_ == out_.size()) {
      out_.clear();
      written_ = 0;
    } else if (written_ > kBlock) {
      out_.erase(0, written_);
      written_ = 0;
    }
    return {};
  }

  Result<void> read() {
    for (std::size_t total = 0; total < kReadAtOnce;) {
      // A broker that does not take our acknowledgements is given no chance to pile them up.
      if (out_.size() - written_ > options_.most_waiting + kMostAnswers) return {};
      const std::size_t before = in_.size();
      in_.resize(before + kBlock);
      const ssize_t got = ::recv(socket_.get(), in_.data() + before, kBlock, MSG_DONTWAIT);
      const int error = errno;
      in_.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
      if (got < 0 && error == EINTR) continue;
      if (got < 0 && (error == EAGAIN || error == EWOULDBLOCK)) return {};
      if (got < 0) return lost(std::strerror(error));
      if (got == 0)
        return lost(greeted_ ? "the broker closed the connection"
                             : "the broker closed the connection before its answer");
      total += static_cast<std::size_t>(got);
      heard_ = Clock::now();
      auto parsed = parse();
      if (!parsed) return parsed;
    }
    return {};
  }

  Result<void> parse() {
    std::size_t used = 0;
    for (;;) {
      auto taken = mqtt::take_packet(std::string_view(in_).substr(used), options_.longest_packet);
      if (!taken) return lost(taken.error().message());
      if (!*taken) break;
      auto done =
          std::visit([this](const auto& packet) { return handle(packet); }, (*taken)->packet);
      if (!done) return done;
      used += (*taken)->bytes;
    }
    in_.erase(0, used);
    return {};
  }

  Result<void> handle(const mqtt::ConnectAnswer& answer) {
    if (greeted_) return lost("the broker sent CONNACK twice");
    if (answer.code != 0) {
      return lost("the broker refused: " + std::string(mqtt::refusal_in_words(answer.code)));
    }
    greeted_ = true;
    return {};
  }

  Result<void> handle(const mqtt::Publish& publish) {
    if (!greeted_) return lost("the broker sent a message before CONNACK");
    kept_.push_back({std::string(publish.topic), std::string(publish.payload)});
    kept_bytes_ += publish.topic.size() + publish.payload.size();
    if (publish.id != 0) out_ += mqtt::encode_publish_taken(publish.id);
    return {};
  }

  Result<void> handle(const mqtt::PublishTaken& taken) {
    waiting_.erase(taken.id);
    return {};
  }

  Result<void> handle(const mqtt::SubscribeAnswer& answer) {
    if (answer.id != subscribing_ || subscribing_ == 0) return {};
    if (answer.codes.size() != 1) return lost("the broker sent a SUBACK for other filters");
    granted_ = static_cast<std::uint8_t>(answer.codes[0]) <= 2;
    return {};
  }

  Result<void> handle(const mqtt::PingAnswer&) {
    pinged_.reset();
    return {};
  }

  std::uint16_t next_id() {
    do {
      if (++last_id_ == 0) last_id_ = 1;
    } while (waiting_.contains(last_id_));
    return last_id_;
  }

  Options options_;
  Fd socket_;
  std::string in_, out_;
  std::size_t written_ = 0;  // of out_
  std::vector<Message> kept_;
  std::size_t kept_bytes_ = 0;
  std::unordered_set<std::uint16_t> waiting_;
  std::uint16_t last_id_ = 0, subscribing_ = 0;
  std::optional<bool> granted_;
  bool greeted_ = false;
  Clock::time_point heard_ = Clock::now(), said_ = heard_;
  std::optional<Clock::time_point> pinged_;
  std::string fault_;
};

// `flags`: SOCK_NONBLOCK, or 0.
Result<Fd> open_socket(const MqttClient::Options& options, int flags) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (options.socket.empty() || options.socket.size() >= sizeof address.sun_path) {
    return fail(ErrorKind::usage, "connect to", options.socket,
                "a socket's path has 1 to 107 characters");
  }
  std::memcpy(address.sun_path, options.socket.data(), options.socket.size());
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (!socket) return fail_errno("make", "a socket");
  // Else connect() would wait for ever while a broker's queue of connections is full.
  timeval patience{};
  patience.tv_sec = options.patience.count();
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno("connect to", options.socket);
  }
  return socket;
}

}  // namespace

Result<std::unique_ptr<MqttClient>> MqttClient::connect(const Options& options) {
  auto socket = open_socket(options, 0);
  if (!socket) return tl::unexpected<Error>(std::move(socket.error()));
  auto client = std::make_unique<Client>(options, std::move(*socket));
  auto greeted = client->greet();
  if (!greeted) return tl::unexpected<Error>(std::move(greeted.error()));
  return client;
}

Result<std::unique_ptr<MqttClient>> MqttClient::begin(const Options& options) {
  auto socket = open_socket(options, SOCK_NONBLOCK);
  if (!socket) return tl::unexpected<Error>(std::move(socket.error()));
  auto client = std::make_unique<Client>(options, std::move(*socket));
  if (auto said = client->introduce(); !said) {
    return tl::unexpected<Error>(std::move(said.error()));
  }
  return client;
}

}  // namespace beaconry
