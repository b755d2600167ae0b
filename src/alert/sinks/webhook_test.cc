#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "alert/sinks/webhook_body.h"
#include "alert/sinks/webhook_sender.h"
#include "alert/test_alert.h"
#include "base/fd.h"
#include "http/certificates.h"
#include "http/server.h"

namespace beaconry {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(WebhookBody, JsonIsTheAlert) {
  EXPECT_EQ(webhook_body(test_alert(), WebhookTemplate::json), to_json(test_alert()));
}

TEST(WebhookBody, SlackShowsTitleAndSeverityAndObeysNoInput) {
  Alert alert = test_alert();
  alert.description = "<!channel> & <https://evil.example|click>";
  const auto json = nlohmann::json::parse(webhook_body(alert, WebhookTemplate::slack));
  EXPECT_THAT(json["text"].get<std::string>(), HasSubstr("HIGH: Beacon: 10.0.0.5 -&gt; 203"));
  const std::string shown = json["blocks"][1]["text"]["text"];
  EXPECT_THAT(shown, HasSubstr("&lt;!channel&gt; &amp;"));
  EXPECT_THAT(shown, Not(HasSubstr("<")));
}

TEST(WebhookBody, SlackStaysWithinItsLimits) {
  Alert alert = test_alert();
  alert.title = std::string(1000, 't');
  alert.description = std::string(10'000, '&');
  const auto json = nlohmann::json::parse(webhook_body(alert, WebhookTemplate::slack));
  EXPECT_LE(json["blocks"][0]["text"]["text"].get<std::string>().size(), 150U);
  EXPECT_LE(json["blocks"][1]["text"]["text"].get<std::string>().size(), 7500U);
}

TEST(WebhookBody, EcsHasTheFieldsThatElasticKnows) {
  const auto json = nlohmann::json::parse(webhook_body(test_alert(), WebhookTemplate::ecs));
  EXPECT_EQ(json["@timestamp"], "2026-11-21T18:00:00.125Z");
  EXPECT_EQ(json["event"]["kind"], "alert");
  EXPECT_EQ(json["event"]["severity"], 73);
  EXPECT_EQ(json["source"]["ip"], "10.0.0.5");
  EXPECT_EQ(json["destination"]["port"], 443);
  EXPECT_EQ(json["network"]["transport"], "tcp");
}

// Answers every request with one status and remembers them.
class Receiver : public HttpHandler {
 public:
  explicit Receiver(int status) : status_(status) {
    HttpServer::Options options;
    options.listen = {"127.0.0.1:0"};
    auto server = HttpServer::start(options, *this);
    EXPECT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
  }
  ~Receiver() override { server_.reset(); }
  Admission admit(const HttpRequest&) override { return {}; }
  HttpResponse handle(HttpRequest request) override {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    HttpResponse response;
    response.status = status_;
    response.body = "{\"error\":\"no\"}";
    return response;
  }
  std::string url() const { return "http://" + server_->endpoints().at(0) + "/hook/s3cret?x=1"; }
  std::vector<HttpRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  const int status_;
  std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  std::unique_ptr<HttpServer> server_;
};

std::unique_ptr<Sink> make(WebhookSender::Options options) {
  auto made = WebhookSender::make(std::move(options));
  EXPECT_TRUE(made) << made.error().message();
  return made ? std::move(*made) : nullptr;
}

TEST(Webhook, PostsTheAlertWithHeadersAndSignature) {
  Receiver receiver(204);
  WebhookSender::Options options;
  options.url = receiver.url();
  options.headers = {{"authorization", "Bearer abc"}};
  options.secret = "key";
  ASSERT_TRUE(make(options)->deliver(test_alert()));
  const auto requests = receiver.requests();
  ASSERT_EQ(requests.size(), 1U);
  const HttpRequest& request = requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/hook/s3cret?x=1");
  EXPECT_EQ(request.header("content-type"), "application/json");
  EXPECT_EQ(request.header("authorization"), "Bearer abc");
  EXPECT_EQ(request.header("x-beaconry-alert-id"), "alert-1");
  EXPECT_EQ(request.body, to_json(test_alert()));
  EXPECT_EQ(request.header("x-beaconry-signature"),
            "sha256=" + hmac_sha256_hex("key", std::string(request.header("x-beaconry-timestamp")) +
                                                   '.' + request.body));
}

TEST(Webhook, AnAnswerThatMayChangeIsTriedAgain) {
  for (const int status : {301, 401, 404, 429, 500, 503}) {
    Receiver receiver(status);
    WebhookSender::Options options;
    options.url = receiver.url();
    const auto delivered = make(options)->deliver(test_alert());
    ASSERT_FALSE(delivered) << status;
    EXPECT_NE(delivered.error().kind, ErrorKind::malformed) << status;
  }
}

TEST(Webhook, ABodyThatIsRefusedForGoodIsNot) {
  Receiver receiver(422);
  WebhookSender::Options options;
  options.url = receiver.url();
  const auto delivered = make(options)->deliver(test_alert());
  ASSERT_FALSE(delivered);
  EXPECT_EQ(delivered.error().kind, ErrorKind::malformed);
}

TEST(Webhook, StopEndsAPostThatIsNotAnswered) {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  auto* const address = reinterpret_cast<sockaddr*>(&at);
  ASSERT_EQ(::bind(listener.get(), address, size), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  ASSERT_EQ(::getsockname(listener.get(), address, &size), 0);
  WebhookSender::Options options;
  options.url = "http://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  options.timeout = std::chrono::hours{1};
  const auto sink = make(options);
  std::thread stopper([&] {
    pollfd comes{listener.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&comes, 1, 30'000), 1);
    sink->stop();
  });
  const auto delivered = sink->deliver(test_alert());
  stopper.join();
  ASSERT_FALSE(delivered);
  EXPECT_NE(delivered.error().kind, ErrorKind::malformed);
}

TEST(Webhook, ErrorsDoNotShowThePathWhichIsOftenASecret) {
  Receiver receiver(500);
  WebhookSender::Options options;
  options.url = receiver.url();
  EXPECT_THAT(make(options)->deliver(test_alert()).error().message(), Not(HasSubstr("s3cret")));
}

TEST(Webhook, RefusesWhatIsNoUrl) {
  for (const char* url : {"", "host", "ftp://host/x"}) {
    WebhookSender::Options options;
    options.url = url;
    EXPECT_FALSE(WebhookSender::make(options)) << url;
  }
}

}  // namespace
}  // namespace beaconry
