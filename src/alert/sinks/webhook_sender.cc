#include "alert/sinks/webhook_sender.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "base/text.h"
#include "beaconry_version.h"
#include "http/certificates.h"
#include "http/client.h"

namespace beaconry {
namespace {

// The URL as errors may show it: what follows the host is often a secret (Slack, Teams).
std::string host_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  std::size_t begin = scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  const std::size_t at = url.rfind('@', end);
  if (at != std::string::npos && at >= begin) begin = at + 1;
  return url.substr(0, scheme + 3) + url.substr(begin, end - begin);
}

class Webhook : public WebhookSender {
 public:
  using Flag = std::shared_ptr<std::atomic<bool>>;

  // `stopping` also ends what the client waits for.
  Webhook(Options options, std::string target, std::unique_ptr<HttpClient> client, Flag stopping)
      : options_(std::move(options)),
        target_(std::move(target)),
        client_(std::move(client)),
        stopping_(std::move(stopping)) {}

  void stop() override { *stopping_ = true; }

  Result<void> deliver(const Alert& alert) override {
    constexpr std::chrono::milliseconds kPause{200};
    auto posted = post(alert);
    for (unsigned tries = 1; tries < options_.quick_tries; ++tries) {
      if (posted || posted.error().kind == ErrorKind::malformed) break;
      if (!*stopping_) std::this_thread::sleep_for(kPause);
      if (*stopping_) break;
      posted = post(alert);
    }
    return posted;
  }

 private:
  Result<void> post(const Alert& alert) {
    HttpRequest request;
    request.method = "POST";
    request.target = target_;
    request.body = webhook_body(alert, options_.form);
    request.headers = {{"content-type", "application/json"},
                       {"user-agent", "beaconry/" BEACONRY_VERSION},
                       {"x-beaconry-alert-id", alert.id}};
    for (const auto& header : options_.headers)
      request.headers.push_back(header);
    if (!options_.secret.empty()) {
      const std::string seconds =
          std::to_string(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())
                             .time_since_epoch()
                             .count());
      request.headers.emplace_back("x-beaconry-timestamp", seconds);
      request.headers.emplace_back(
          "x-beaconry-signature",
          "sha256=" + hmac_sha256_hex(options_.secret, seconds + '.' + request.body));
    }
    const auto answer = client_->send(request);
    const std::string subject = "webhook " + host_of(options_.url);
    if (!answer) return fail(answer.error().kind, "post to", subject, answer.error().message());
    const int status = answer->status;
    if (status >= 200 && status < 300) return {};
    const bool hopeless = status == 400 || status == 413 || status == 422;
    return fail(hopeless ? ErrorKind::malformed : ErrorKind::io, "post to", subject,
                "it answered " + std::to_string(status) + ' ' +
                    terminal_safe(std::string_view(answer->body).substr(0, 120)));
  }

  const Options options_;
  const std::string target_;
  const std::unique_ptr<HttpClient> client_;
  const Flag stopping_;
};

}  // namespace

Result<std::unique_ptr<Sink>> WebhookSender::make(Options options) {
  const std::size_t scheme = options.url.find("://");
  if (scheme == std::string::npos || (options.url.compare(0, scheme, "http") != 0 &&
                                      options.url.compare(0, scheme, "https") != 0)) {
    return fail(ErrorKind::usage, "read", "alerting.webhook.url",
                "not a URL; write https://host/path");
  }
  const std::size_t path =
      std::min(options.url.find_first_of("/?#", scheme + 3), options.url.size());
  std::string target = options.url.substr(path);
  target.resize(std::min(target.find('#'), target.size()));
  if (target.empty() || target.front() != '/') target.insert(0, 1, '/');
  HttpClient::Options client_options;
  client_options.url = options.url.substr(0, path);
  client_options.ca_pem = options.ca_pem;
  client_options.timeout = options.timeout;
  client_options.most_body = 64 << 10;
  const auto stopping = std::make_shared<std::atomic<bool>>(false);
  client_options.is_cancelled = [stopping] { return stopping->load(); };
  auto client = HttpClient::make(client_options);
  if (!client) return tl::unexpected<Error>(std::move(client.error()));
  return std::unique_ptr<Sink>(std::make_unique<Webhook>(std::move(options), std::move(target),
                                                         std::move(*client), stopping));
}

}  // namespace beaconry
