#include "uplink/sender.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "base/ip_address.h"
#include "base/log.h"
#include "http/target.h"
#include "uplink/answer.h"
#include "uplink/flow_batch.h"
#include "uplink/refused_batches.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostAnswer = 1 << 20;
constexpr std::chrono::minutes kLongestTold{10};  // that a server may make us wait

bool everybody_can_read(const std::string& url) {
  const auto parts = parse_url(url);
  if (!parts || parts->tls || !parts->unix_path.empty()) return false;
  const auto address = IpAddress::parse(parts->at.host);
  return address ? !address->is_loopback() : parts->at.host != "localhost";
}

class HttpSender final : public Sender {
 public:
  HttpSender(Options options, Spool& spool, std::function<Timestamp()> clock)
      : options_(std::move(options)),
        spool_(spool),
        clock_(std::move(clock)),
        refused_(options_.refused_folder, options_.most_refused_bytes),
        random_(std::random_device{}()) {}

  ~HttpSender() override {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> begin() {
    HttpClient::Options server = options_.server;
    server.most_body = kMostAnswer;
    server.is_cancelled = [this] { return is_stopping_.load(); };
    auto client = HttpClient::make(server);
    if (!client) return tl::unexpected<Error>(client.error());
    client_ = std::move(*client);
    if (!options_.token.empty() && everybody_can_read(server.url)) {
      log_warning("uplink: the token goes to " + server.url +
                  " without encryption, for everybody on the way to read; use https");
    }
    thread_ = std::thread([this] { run(); });
    return {};
  }

  void wake() override {
    {
      const std::lock_guard lock(mutex_);
      has_news_ = true;
    }
    changed_.notify_all();
  }

  Status status() const override {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  // How long to wait before the next try; nothing: go on.
  using Pause = std::optional<std::chrono::milliseconds>;

  void run() {
    while (!is_stopping_) {
      {
        const std::lock_guard lock(mutex_);
        has_news_ = false;  // what is appended from here on sets it again
      }
      auto record = spool_.read(0);
      if (record && !*record) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return has_news_ || is_stopping_; });
        continue;
      }
      const Pause pause = record ? send(std::move(**record)) : failed(record.error().message());
      if (!pause) continue;
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, *pause, [this] { return is_stopping_.load(); });
    }
  }

  Pause send(Spool::Record record) {
    const auto synced = spool_.sync(record.sequence);
    if (!synced) return failed(synced.error().message());
    const Timestamp sent = clock_();
    Envelope envelope;
    envelope.edge = options_.edge;
    envelope.edge_name = options_.edge_name;
    envelope.content_kind = options_.content_kind;
    envelope.incarnation = spool_.incarnation();
    envelope.sequence = record.sequence;
    envelope.sent = sent;
    envelope.content = std::move(record.bytes);
    envelope.batches_dropped = spool_.dropped();
    HttpRequest request;
    request.method = "POST";
    request.target = options_.path;
    request.headers = {{"content-type", "application/x-protobuf"}};
    if (!options_.token.empty()) {
      request.headers.emplace_back("authorization", "Bearer " + options_.token);
    }
    request.body = encode_envelope(envelope);
    const auto answer = client_->send(request);
    if (is_stopping_ && !answer) return {};
    if (!answer) return failed(answer.error().message());
    measure_skew(*answer, sent);
    switch (answer->status) {
      case 400:
      case 413:
      case 422:
        set_aside(envelope, *answer);
        break;
      default:
        if (answer->status / 100 != 2) {
          return failed(options_.server.url + " answers with " + words_of_answer(*answer),
                        retry_after(*answer));
        }
        if (!says_accepted(*answer)) {
          return failed(options_.server.url + " answers with " + words_of_answer(*answer) +
                        ", but not that it accepted the batch: is it a Beaconry server, or a proxy "
                        "or log-in page before it?");
        }
        const std::lock_guard lock(mutex_);
        ++status_.sent;
    }
    spool_.release(record.sequence);
    succeeded();
    return {};
  }

  void measure_skew(const HttpResponse& answer, Timestamp sent) {
    const Timestamp received = clock_();
    const auto theirs = server_time(answer);
    if (!theirs) return;
    const std::lock_guard lock(mutex_);
    status_.clock_skew = *theirs - (sent + (received - sent) / 2);
  }

  void set_aside(const Envelope& envelope, const HttpResponse& answer) {
    log_error("uplink: the server refuses batch " + std::to_string(envelope.sequence) + " with " +
              words_of_answer(answer) + "; it is set aside");
    const auto kept = refused_.add(envelope.incarnation, envelope.sequence, envelope.content);
    if (!kept) log_error("uplink: " + kept.error().message());
    const std::lock_guard lock(mutex_);
    ++status_.refused;
  }

  void succeeded() {
    tries_ = 0;
    if (!std::exchange(last_logged_, {}).empty()) {
      log_info("uplink: sending to " + options_.server.url + " again");
    }
    const std::lock_guard lock(mutex_);
    status_.connected = true;
    status_.last_error.clear();
    status_.last_success = clock_();
  }

  // Doubles from try to try; up to half of it is left to chance, so that a thousand edges do not
  // come at once when their server is back.
  Pause failed(const std::string& why, std::optional<std::chrono::seconds> told = {}) {
    if (why != last_logged_) {  // once, not at every try
      log_warning("uplink: " + why + "; batches wait in the spool");
      last_logged_ = why;
    }
    {
      const std::lock_guard lock(mutex_);
      status_.connected = false;
      status_.last_error = why;
      ++status_.retries;
    }
    const auto whole =
        std::min(options_.longest_pause, options_.first_pause * (1 << std::min(tries_, 16U)));
    ++tries_;
    std::uniform_int_distribution<std::int64_t> part(whole.count() / 2, whole.count());
    std::chrono::milliseconds pause{part(random_)};
    if (told) pause = std::max<std::chrono::milliseconds>(pause, std::min(*told, kTold));
    return pause;
  }
  static constexpr std::chrono::seconds kTold = kLongestTold;

  const Options options_;
  Spool& spool_;
  const std::function<Timestamp()> clock_;
  std::atomic<bool> is_stopping_{false};

  // The sending thread's.
  std::unique_ptr<HttpClient> client_;
  RefusedBatches refused_;
  std::mt19937 random_;
  unsigned tries_ = 0;  // that failed, since the last success
  std::string last_logged_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool has_news_ = false;
  Status status_;

  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Sender>> Sender::start(const Options& options, Spool& spool,
                                              std::function<Timestamp()> clock) {
  auto sender = std::make_unique<HttpSender>(options, spool, std::move(clock));
  const auto begun = sender->begin();
  if (!begun) return tl::unexpected<Error>(begun.error());
  return std::unique_ptr<Sender>(std::move(sender));
}

}  // namespace beaconry
