#pragma once
// A server with a handler of the test's, raw connections to it, and waiting for conditions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "http/client.h"
#include "http/endpoint.h"
#include "http/server.h"

namespace beaconry {

inline constexpr std::chrono::seconds kPatience{30};  // far more than anything here takes

inline bool wait_for(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

// Answers with what was asked for, unless a test says otherwise.
class TestHandler : public HttpHandler {
 public:
  std::function<Admission(const HttpRequest&)> on_admit = [](const HttpRequest&) {
    return Admission{};
  };
  std::function<HttpResponse(HttpRequest)> on_handle = [](const HttpRequest& request) {
    HttpResponse out;
    out.content_type = "text/plain";
    out.body = request.method + " " + request.target + " " + request.body;
    return out;
  };

  Admission admit(const HttpRequest& head) override { return on_admit(head); }
  HttpResponse handle(HttpRequest request) override { return on_handle(std::move(request)); }
};

struct TestServer {
  explicit TestServer(HttpServer::Options options = {}) {
    if (options.listen == HttpServer::Options{}.listen) options.listen = {"127.0.0.1:0"};
    auto started = HttpServer::start(options, handler);
    if (!started) {
      ADD_FAILURE() << started.error().message();
      std::abort();
    }
    server = std::move(*started);
    endpoint = server->endpoints().front();
    url = endpoint.starts_with("unix:") ? endpoint
                                        : (options.tls ? "https://" : "http://") + endpoint;
  }
  std::unique_ptr<HttpClient> client(HttpClient::Options options = {}) const {
    options.url = url;
    auto made = HttpClient::make(options);
    EXPECT_TRUE(made) << made.error().message();
    return std::move(*made);
  }

  TestHandler handler;
  std::unique_ptr<HttpServer> server;  // ends before the handler
  std::string endpoint, url;
};

// Bytes as they are, to and from an endpoint.
class RawConnection {
 public:
  explicit RawConnection(const std::string& endpoint, int receive_buffer = 0) {
    auto at = parse_endpoint(endpoint);
    auto connected = connect_to({*at}, kPatience);
    EXPECT_TRUE(connected) << connected.error().message();
    if (connected) fd_ = std::move(*connected);
    if (receive_buffer > 0)
      ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno != EAGAIN) return;  // what the server said tells why
      if (count < 0) {
        wait(POLLOUT);
        continue;
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  // What comes until `end` has come, or the connection's end.
  std::string read_until(std::string_view end) {
    while (in_.find(end) == std::string::npos && read_some()) {
    }
    const auto at = in_.find(end);
    const std::size_t size = at == std::string::npos ? in_.size() : at + end.size();
    std::string out = in_.substr(0, size);
    in_.erase(0, size);
    return out;
  }
  std::string read_all() {
    while (read_some()) {
    }
    return std::exchange(in_, {});
  }
  int fd() const { return fd_.get(); }
  void close() { fd_.reset(); }

 private:
  bool wait(short events) {
    pollfd waits{fd_.get(), events, 0};
    return ::poll(&waits, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) == 1;
  }
  bool read_some() {
    char bytes[4096];
    while (true) {
      const ssize_t count = ::recv(fd_.get(), bytes, sizeof bytes, 0);
      if (count > 0) in_.append(bytes, static_cast<std::size_t>(count));
      if (count >= 0) return count > 0;
      if (errno != EAGAIN) return false;
      if (!wait(POLLIN)) {
        ADD_FAILURE() << "the server said nothing";
        return false;
      }
    }
  }

  Fd fd_;
  std::string in_;
};

inline std::string ask_raw(const std::string& endpoint, std::string_view bytes) {
  RawConnection connection(endpoint);
  connection.send(bytes);
  return connection.read_all();
}

}  // namespace beaconry
