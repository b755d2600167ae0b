#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "config/signed_document.h"
#include "control/authority.h"
#include "control/control.h"
#include "fleet/test_report.h"
#include "http/certificates.h"
#include "http/client.h"

namespace beaconry::test {

// What came by an event stream, taken one by one.
class Events {
 public:
  struct Event {
    std::string name, data;
  };
  // `client` is the stream's alone.
  Events(std::unique_ptr<HttpClient> client, std::string target) : client_(std::move(client)) {
    thread_ = std::thread([this, target = std::move(target)] { run(target); });
  }
  ~Events() {
    end_ = true;
    thread_.join();
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  // Nothing: the stream has ended, or nothing came for long.
  std::optional<Event> next() {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::seconds{60}, [&] { return ended_ || !events_.empty(); });
    if (events_.empty()) return std::nullopt;
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
  }
  int status() {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::seconds{60}, [&] { return ended_; });
    return status_;
  }

 private:
  void run(const std::string& target) {
    HttpRequest request;
    request.target = target;
    std::string text;
    const auto answer = client_->stream(request, [&](std::string_view bytes) {
      text += bytes;
      for (auto end = text.find("\n\n"); end != std::string::npos; end = text.find("\n\n")) {
        take(text.substr(0, end + 1));
        text.erase(0, end + 2);
      }
      return !end_;
    });
    const std::lock_guard lock(mutex_);
    status_ = answer ? answer->status : 0;
    ended_ = true;
    wake_.notify_all();
  }
  void take(const std::string& text) {
    Event event;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);
      const std::string line = text.substr(at, end - at);
      if (line.starts_with("event: ")) event.name = line.substr(7);
      if (line.starts_with("data: "))
        event.data += (event.data.empty() ? "" : "\n") + line.substr(6);
      at = end + 1;
    }
    if (event.name.empty()) return;  // a heartbeat
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    wake_.notify_all();
  }

  std::unique_ptr<HttpClient> client_;
  std::atomic<bool> end_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Event> events_;
  bool ended_ = false;
  int status_ = 0;
  std::thread thread_;
};

// A machine with a key of its own, which joins and speaks as a sensor does.
class Machine {
 public:
  Machine(std::string url, std::string ca_pem, Timestamp now)
      : url_(std::move(url)), ca_pem_(std::move(ca_pem)) {
    auto pair = make_self_signed("sensor", now);
    EXPECT_TRUE(pair);
    pair_ = std::move(*pair);
    key = key_fingerprint(pair_.certificate_pem).value();
  }
  std::unique_ptr<HttpClient> client() const {
    HttpClient::Options options;
    options.url = url_;
    options.ca_pem = ca_pem_;
    options.certificate_pem = pair_.certificate_pem;
    options.key_pem = pair_.key_pem;
    auto made = HttpClient::make(options);
    EXPECT_TRUE(made) << made.error().message();
    return std::move(*made);
  }
  HttpResponse send(const std::string& method, const std::string& target,
                    const std::string& body = {}, HttpHeaders headers = {}) const {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers = std::move(headers);
    auto answer = client()->send(request);
    EXPECT_TRUE(answer) << answer.error().message();
    return answer ? *answer : HttpResponse{};
  }
  nlohmann::json join(const std::string& token, const std::string& name = "host") {
    const HttpResponse answer =
        send("POST", "/api/v1/enroll",
             nlohmann::json{{"token", token}, {"kind", "sensor"}, {"name", name}}.dump());
    EXPECT_EQ(answer.status, 200) << answer.body;
    auto json = nlohmann::json::parse(answer.body, nullptr, false);
    fleet_key = json.value("fleet_key", "");
    return json;
  }
  std::unique_ptr<Events> listen(std::uint64_t after = 0) const {
    return std::make_unique<Events>(client(),
                                    "/api/v1/fleet/self/stream?after=" + std::to_string(after));
  }
  HttpResponse report(const std::string& members = {}, const std::string& boot = "b1") {
    return send("PUT", "/api/v1/fleet/self/reported", report_text(members, boot, ++sequence_));
  }
  // The next document of a stream, as this sensor takes it; version 0: none came, or none to take.
  SignedDocument document(Events& events) const {
    const auto event = events.next();
    if (!event || event->name != "desired") return {};
    const auto checked = check_signed_document(event->data, fleet_key, key, 0);
    EXPECT_EQ(checked.refusal, DocumentRefusal::none) << checked.words;
    return checked.document.value_or(SignedDocument{});
  }

  std::string key, fleet_key;
  const CertificateAndKey& pair() const { return pair_; }

 private:
  std::string url_, ca_pem_;
  CertificateAndKey pair_;
  std::uint64_t sequence_ = 0;
};

// A server with TLS, whose people come by its socket. Its clock can be turned on.
class FleetServer : public testing::Test {
 protected:
  using Json = nlohmann::json;

  void SetUp() override {
    std::string pattern = testing::TempDir() + "fleet-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    const auto values = ConfigValues::read(config_schema(), config()).value();
    ASSERT_TRUE(initialise(values, {"127.0.0.1"}, start_));
    start();
  }
  void TearDown() override {
    local_.reset();
    control_.reset();
    std::filesystem::remove_all(folder_);
  }
  ConfigDocument config() const {
    return ConfigDocument::parse("control_plane:\n  listen_address: 127.0.0.1\n  listen_port: " +
                                     std::to_string(port_) + "\n  state_dir: " + folder_ +
                                     "/state\n  workers: 2\n  tls:\n    mode: \"on\"\n",
                                 "test.yaml")
        .value();
  }
  void start() {
    local_.reset();
    control_.reset();
    Control::Options options;
    options.file = config();
    options.clock = [this] { return now(); };
    auto opened = Control::open(std::move(options));
    ASSERT_TRUE(opened) << opened.error().message();
    control_ = std::move(*opened);
    const auto said = control_->start();
    ASSERT_TRUE(said) << said.error().message();
    const std::string url = control_->url();
    port_ = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    local_ = client();
  }
  std::unique_ptr<HttpClient> client() const {
    HttpClient::Options options;
    options.url = "unix:" + folder_ + "/state/control.sock";
    return std::move(HttpClient::make(options).value());
  }
  Timestamp now() const { return start_ + std::chrono::seconds{later_.load()}; }

  HttpResponse send(const std::string& method, const std::string& target, const Json& body = {}) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    if (!body.is_null()) request.body = body.is_string() ? body.get<std::string>() : body.dump();
    auto answer = local_->send(request);
    EXPECT_TRUE(answer) << target << ' ' << answer.error().message();
    return answer ? *answer : HttpResponse{};
  }
  Json call(const std::string& method, const std::string& target, const Json& body = {},
            int status = 200) {
    const HttpResponse answer = send(method, target, body);
    EXPECT_EQ(answer.status, status) << method << ' ' << target << ' ' << answer.body;
    return Json::parse(answer.body, nullptr, false);
  }
  Json get(const std::string& target) { return call("GET", target); }
  Json put(const std::string& target, const Json& document) {
    return call("PUT", "/api/v1/fleet/desired/" + target, {{"document", document}});
  }

  // The test's own time limit ends it.
  template <class Condition>
  void wait_until(const Condition& condition) {
    while (!condition())
      std::this_thread::yield();
  }
  Machine machine() const { return {control_->url(), control_->ca_pem(), start_}; }
  std::string token(const std::string& name) {
    return call("POST", "/api/v1/enrollments", {{"kind", "sensor"}, {"name", name}})["token"];
  }
  Machine joined(const std::string& name) {
    Machine made = machine();
    made.join(token(name));
    return made;
  }

  std::string folder_;
  std::uint16_t port_ = 0;
  const Timestamp start_ = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  std::atomic<int> later_ = 0;
  std::unique_ptr<Control> control_;
  std::unique_ptr<HttpClient> local_;
};

}  // namespace beaconry::test
