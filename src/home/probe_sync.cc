#include "home/probe_sync.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostAnswer = 4 << 20;
constexpr std::chrono::hours kAnnounceAgain{1};
constexpr std::chrono::seconds kTimeout{10};
constexpr std::chrono::seconds kLongestPause{10};  // while the server is away

// What may stand in a query as it is.
std::string query_text(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '_' || c == '.';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

class PollingSync final : public ProbeSync {
 public:
  PollingSync(Options options, Fd event) : options_(std::move(options)), event_(std::move(event)) {}

  ~PollingSync() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> begin() {
    options_.server.most_body = kMostAnswer;
    options_.server.timeout = kTimeout;
    options_.server.is_cancelled = [this] { return stopping_.load(); };
    auto client = HttpClient::make(options_.server);
    if (!client) return tl::unexpected<Error>(std::move(client.error()));
    client_ = std::move(*client);
    thread_ = std::thread([this] { run(); });
    return {};
  }

  int descriptor() const override { return event_.get(); }

  std::optional<ProbeList> take() override {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(event_.get(), &count, sizeof count);
    const std::lock_guard lock(mutex_);
    return std::exchange(news_, std::nullopt);
  }

  Status status() const override {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  Result<std::string> call(const std::string& method, const std::string& target, std::string body) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    if (!body.empty()) request.headers.emplace_back("content-type", "application/json");
    if (!options_.token.empty()) {
      request.headers.emplace_back("authorization", "Bearer " + options_.token);
    }
    request.body = std::move(body);
    auto response = client_->send(request);
    if (!response) return tl::unexpected<Error>(std::move(response.error()));
    if (response->status / 100 != 2) {
      return fail(ErrorKind::io, method, target,
                  "the server answered " + std::to_string(response->status) + ": " +
                      terminal_safe(response->body.substr(0, 200)));
    }
    return std::move(response->body);
  }

  Result<void> announce() {
    nlohmann::json body{{"box_public", to_hex(options_.box_public)},
                        {"zone", options_.zone},
                        {"version", options_.program_version},
                        {"addresses", nlohmann::json::array()}};
    for (const IpAddress& address : options_.addresses)
      body["addresses"].push_back(address.to_string());
    auto answer = call("PUT", "/api/v1/homes/self", body.dump());
    if (!answer) return tl::unexpected<Error>(std::move(answer.error()));
    announced_ = std::chrono::steady_clock::now();
    return {};
  }

  Result<void> ask() {
    if (!announced_ || std::chrono::steady_clock::now() - *announced_ >= kAnnounceAgain) {
      if (auto done = announce(); !done) return done;
    }
    auto answer = call("GET", "/api/v1/homes/self/probes?after=" + query_text(version_), {});
    if (!answer) return tl::unexpected<Error>(std::move(answer.error()));
    auto list = parse_probe_list(*answer);
    if (!list) return tl::unexpected<Error>(std::move(list.error()));
    if (!list->has_probes) return {};
    if (auto kept = replace_file(options_.file, *answer); !kept) {
      log_warning("The list of probes is not kept: " + kept.error().message());
    }
    version_ = list->version;
    {
      const std::lock_guard lock(mutex_);
      news_ = std::move(*list);
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
    return {};
  }

  void run() {
    std::chrono::milliseconds pause = kPause;
    for (;;) {
      const auto done = ask();
      note(done);
      if (!done) announced_.reset();
      pause = done ? kPause : std::min<std::chrono::milliseconds>(pause * 2, kLongestPause);
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, pause, [this] { return stopping_.load(); })) return;
    }
  }

  void note(const Result<void>& done) {
    const std::lock_guard lock(mutex_);
    const bool was_connected = std::exchange(status_.connected, done.has_value());
    status_.version = version_;
    if (done) {
      status_.last_success = options_.clock();
      if (!was_connected) log_info("The server tells of the probes");
      return;
    }
    ++status_.failures;
    const std::string error = done.error().message();
    if (stopping_ || error == std::exchange(status_.last_error, error)) return;
    log_warning("The server does not tell of the probes, the last list stays: " + error);
  }

  Options options_;
  Fd event_;
  std::unique_ptr<HttpClient> client_;
  std::optional<std::chrono::steady_clock::time_point> announced_;
  std::string version_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::atomic<bool> stopping_{false};
  std::optional<ProbeList> news_;
  Status status_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<ProbeSync>> ProbeSync::start(Options options) {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return fail_errno("make", "an event descriptor");
  auto sync = std::make_unique<PollingSync>(std::move(options), std::move(event));
  if (auto done = sync->begin(); !done) return tl::unexpected<Error>(std::move(done.error()));
  return sync;
}

}  // namespace beaconry
