#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "control/control.h"
#include "http/client.h"

namespace beaconry::test {

// A server of its own in a folder of its own, and a client on this machine that asks it.
class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "server-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    start();
  }
  void TearDown() override {
    client_.reset();
    control_.reset();
    std::filesystem::remove_all(folder_);
  }

  // What its configuration says besides, below `control_plane`.
  virtual std::string settings() const { return {}; }
  virtual Timestamp clock() const {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
  // Or again, on what it kept.
  void start(const std::string& more = {}) {
    client_.reset();
    control_.reset();
    const std::string text = "control_plane:\n  listen_port: 0\n  state_dir: " + folder_ +
                             "/state\n  workers: 2\n" + settings() + more;
    Control::Options options;
    options.file = ConfigDocument::parse(text, "test.yaml").value();
    options.clock = [this] { return clock(); };
    auto opened = Control::open(std::move(options));
    ASSERT_TRUE(opened) << opened.error().message();
    control_ = std::move(*opened);
    const auto said = control_->start();
    ASSERT_TRUE(said) << said.error().message();
    HttpClient::Options server;
    server.url = control_->url();
    server.url.replace(server.url.find("//") + 2, server.url.rfind(':') - server.url.find("//") - 2,
                       "127.0.0.1");
    client_ = std::move(HttpClient::make(server).value());
  }

  HttpResponse send(const std::string& method, const std::string& target,
                    const std::string& body = {}, HttpHeaders headers = {}) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers = std::move(headers);
    auto answer = client_->send(request);
    EXPECT_TRUE(answer) << target << ' ' << answer.error().message();
    return answer ? *answer : HttpResponse{};
  }
  nlohmann::json ask(const std::string& method, const std::string& target,
                     const std::string& body = {}) {
    const HttpResponse answer = send(method, target, body);
    EXPECT_EQ(answer.status, 200) << target << ' ' << answer.body;
    return nlohmann::json::parse(answer.body, nullptr, false);
  }
  nlohmann::json get(const std::string& target) { return ask("GET", target); }
  nlohmann::json post(const std::string& target, const std::string& body = {}) {
    return ask("POST", target, body);
  }

  std::string folder_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<HttpClient> client_;
};

}  // namespace beaconry::test
