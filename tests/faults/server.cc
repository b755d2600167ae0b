#include "faults/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/fd.h"

namespace beaconry::faults {
namespace {

constexpr std::chrono::seconds kPatience{60};

// Below those that the system gives to clients: a restart finds it free.
unsigned free_port() {
  constexpr unsigned kFirst = 20'000, kPorts = 12'000;
  for (unsigned i = 0; i < kPorts; ++i) {
    const unsigned port = kFirst + (static_cast<unsigned>(::getpid()) * 7 + i) % kPorts;
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return port;
    }
  }
  return 0;
}

}  // namespace

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

bool wait_for(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

Server::Server(const std::string& folder, const std::string& more) : folder_(folder) {
  const unsigned port = free_port();
  write_file(folder_ + "/control.yaml", "control_plane:\n  listen_port: " + std::to_string(port) +
                                            "\n  state_dir: " + folder_ +
                                            "/state\n  workers: 2\ndetection:\n"
                                            "  analysis_interval: 3600\n" +
                                            more);
  url_ = "http://127.0.0.1:" + std::to_string(port);
  HttpClient::Options options;
  options.url = url_;
  options.use_proxy = false;
  client_ = std::move(HttpClient::make(options).value());
}

void Server::begin() {
  child_ = std::make_unique<Child>(
      std::vector<std::string>{BEACONRY_CONTROL, "-c", folder_ + "/control.yaml"}, log());
}

void Server::start() {
  begin();
  HttpRequest request;
  request.target = "/api/v1/health";
  const bool answers = wait_for([&] {
    const auto answer = client_->send(request);
    return (answer && answer->status == 200) || !child_->is_running();
  });
  ASSERT_TRUE(answers && child_->is_running()) << "the server does not start" << end_of(log());
}

void Server::end() {
  ASSERT_NE(child_, nullptr);
  EXPECT_EQ(child_->end(), 0) << end_of(log());
  child_.reset();
}

HttpResponse Server::send(const std::string& method, const std::string& target,
                          const std::string& body, const HttpHeaders& headers) {
  HttpRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  request.headers = headers;
  auto answer = client_->send(request);
  if (answer) return std::move(*answer);
  ADD_FAILURE() << method << ' ' << target << ": " << answer.error().message() << end_of(log());
  HttpResponse none;
  none.status = 0;
  return none;
}

Json Server::get(const std::string& target) {
  const HttpResponse answer = send("GET", target);
  EXPECT_EQ(answer.status, 200) << target << ' ' << answer.body;
  return Json::parse(answer.body, nullptr, false);
}

}  // namespace beaconry::faults
