#include "http/client.h"

#include <atomic>
#include <mutex>

#include "base/file.h"
#include "http/certificates.h"
#include "http/proxy.h"
#include "http/test_support.h"

namespace beaconry {
namespace {

using testing::HasSubstr;

Result<HttpResponse> get(HttpClient::Options options) {
  return (*HttpClient::make(options))->send({});
}

// Serves one connection after the other with what a test says.
class Scripted {
 public:
  using Play = std::function<void(Fd&, int number)>;
  explicit Scripted(Play play) {
    at_ = *parse_endpoint("127.0.0.1:0");
    listener_ = std::move(*listen_at(at_));
    thread_ = std::thread([this, play = std::move(play)] {
      for (int number = 0;; ++number) {
        pollfd waits{listener_.get(), POLLIN, 0};
        Fd one;
        while (!stopped_ && !one) {
          ::poll(&waits, 1, 50);
          HttpPeer peer;
          one = accept_from(listener_.get(), peer);
        }
        if (stopped_) return;
        play(one, number);
      }
    });
  }
  ~Scripted() {
    stopped_ = true;
    thread_.join();
  }
  std::string endpoint() const { return at_.to_string(); }

 private:
  Endpoint at_;
  Fd listener_;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

// What comes next; false: no more.
bool receive(Fd& fd, std::string& in) {
  char bytes[65536];
  pollfd waits{fd.get(), POLLIN, 0};
  ::poll(&waits, 1, 10'000);
  const ssize_t count = ::recv(fd.get(), bytes, sizeof bytes, 0);
  if (count > 0) in.append(bytes, static_cast<std::size_t>(count));
  return count > 0;
}

std::string read_request(Fd& fd) {
  std::string in;
  while (in.find("\r\n\r\n") == std::string::npos && receive(fd, in)) {
  }
  return in;
}

void say(Fd& fd, std::string_view text) {
  EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST(HttpClient, ConnectsAnewWhenTheServerHasClosed) {
  std::atomic<int> connections{0};
  const Scripted server([&](Fd& fd, int) {
    ++connections;
    read_request(fd);
    say(fd, kOk);  // and closes, though it said keep-alive
  });
  HttpClient::Options options;
  options.url = "http://" + server.endpoint();
  const auto client = *HttpClient::make(options);
  for (int i = 0; i < 4; ++i) {
    const auto answer = client->send({});
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->body, "ok");
  }
  EXPECT_EQ(connections, 4);
}

TEST(HttpClient, SendsAFileOfAnyLengthByPieces) {
  const std::string path = testing::TempDir() + "http_client_body";
  std::string content(3'000'000, 'x');
  for (std::size_t i = 0; i < content.size(); i += 7)
    content[i] = static_cast<char>('a' + i % 26);
  ASSERT_TRUE(replace_file(path, content));
  std::string got;
  const Scripted server([&](Fd& fd, int) {
    got = read_request(fd);
    while (got.size() < got.find("\r\n\r\n") + 4 + content.size() && receive(fd, got)) {
    }
    say(fd, kOk);
  });
  HttpClient::Options options;
  options.url = "http://" + server.endpoint();
  const auto client = std::move(*HttpClient::make(options));
  HttpRequest request;
  request.method = "POST";
  const auto answer = client->send_file(request, path);
  ASSERT_TRUE(answer.has_value()) << answer.error().message();
  EXPECT_THAT(got, HasSubstr("Content-Length: 3000000\r\n"));
  EXPECT_TRUE(got.ends_with("\r\n\r\n" + content));
  EXPECT_FALSE(client->send_file(request, path + ".none").has_value());
  EXPECT_FALSE(client->send_file(request, testing::TempDir()).has_value());
  ::unlink(path.c_str());
}

TEST(HttpClient, DoesNotRepeatWhatMayHaveBeenDone) {
  std::atomic<int> requests{0};
  const Scripted server([&](Fd& fd, int) {
    while (!read_request(fd).empty())
      say(fd, ++requests == 1 ? kOk : "HTTP/1.1 200 OK\r\nContent-Le");
  });
  HttpClient::Options options;
  options.url = "http://" + server.endpoint();
  options.timeout = std::chrono::seconds{1};
  const auto client = *HttpClient::make(options);
  EXPECT_TRUE(client->send({}));
  EXPECT_FALSE(client->send({}));  // half an answer came, on a connection that was reused
  EXPECT_EQ(requests, 2);
}

TEST(HttpClient, SaysWhatFailed) {
  const Scripted garbage([](Fd& fd, int) {
    read_request(fd);
    say(fd, "SSH-2.0-OpenSSH_9.2\r\n");
  });
  const Scripted cut([](Fd& fd, int) {
    read_request(fd);
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab");
  });
  const Scripted large([](Fd& fd, int) {
    read_request(fd);
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
  });
  std::string closed;
  {
    Endpoint at = *parse_endpoint("127.0.0.1:0");
    const auto listener = listen_at(at);
    closed = at.to_string();
  }
  HttpClient::Options options;
  options.most_body = 10;
  for (const auto& [url, words] : std::vector<std::pair<std::string, std::string>>{
           {"http://" + closed,
            "connect " + closed + ": connection refused; is the server running"},
           {"unix:/nonexistent/s", "connect unix:/nonexistent/s: no such socket"},
           {"http://" + garbage.endpoint(), "it is not HTTP/1.1"},
           {"http://" + large.endpoint(), "longer than 10 B"}}) {
    options.url = url;
    const auto answer = get(options);
    ASSERT_FALSE(answer) << url;
    EXPECT_THAT(answer.error().message(), HasSubstr(words));
  }
  options.most_body = 1'000;
  options.url = "http://" + cut.endpoint();
  EXPECT_THAT(get(options).error().message(), HasSubstr("it closed the connection"));
  for (const char* const url : {"", "localhost:9090", "ftp://a", "http://u:p@a"}) {
    options.url = url;
    EXPECT_THAT(HttpClient::make(options).error().message(), HasSubstr("write http://host:port"));
  }
}

TEST(HttpClient, WaitsNoLongerThanItsTime) {
  std::atomic<bool> done{false};
  const Scripted silent([&](Fd&, int) { wait_for([&] { return done.load(); }); });
  HttpClient::Options options;
  options.url = "http://" + silent.endpoint();
  options.timeout = std::chrono::seconds{1};
  const auto answer = get(options);
  done = true;
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message(), HasSubstr("no answer within 1 s"));
}

TEST(HttpClient, DoesNotSendWhatIsNoRequest) {
  const TestServer test;
  const auto client = test.client();
  HttpRequest request;
  request.target = "/a b";
  EXPECT_FALSE(client->send(request));
  request.target = "/";
  request.headers = {{"x-a", "b\r\nx-c: d"}};
  EXPECT_FALSE(client->send(request));
  request.headers = {{"x a", "b"}};
  EXPECT_FALSE(client->send(request));
  EXPECT_EQ(test.server->counters().requests, 0U);
}

TEST(HttpClient, FindsLocalhostAndAddsThePrefix) {
  TestServer test;
  HttpClient::Options options;
  options.url = "http://localhost:" + test.endpoint.substr(test.endpoint.rfind(':') + 1) + "/base/";
  const auto answer = get(options);
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->body, "GET /base/ ");
}

// A proxy of one connection at a time that knows two ways: CONNECT, and a request's absolute form.
class TestProxy {
 public:
  explicit TestProxy(const std::string& to)
      : to_(*parse_endpoint(to)), server_([this](Fd& fd, int) { serve(fd); }) {}
  std::string endpoint() const { return server_.endpoint(); }
  std::string first_request() {
    const std::lock_guard lock(mutex_);
    return request_;
  }

 private:
  void serve(Fd& fd) {
    const std::string request = read_request(fd);
    {
      const std::lock_guard lock(mutex_);
      request_ = request;
    }
    if (!request.starts_with("CONNECT ")) return say(fd, kOk);
    auto up = connect_to({to_}, kPatience);
    ASSERT_TRUE(up);
    say(fd, "HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n");
    while (true) {
      pollfd waits[2] = {{fd.get(), POLLIN, 0}, {up->get(), POLLIN, 0}};
      ::poll(waits, 2, 30'000);
      for (int i = 0; i < 2; ++i) {
        if (waits[i].revents == 0) continue;
        char bytes[4096];
        const ssize_t count = ::recv(waits[i].fd, bytes, sizeof bytes, 0);
        if (count <= 0) return;
        ::send(waits[1 - i].fd, bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL);
      }
    }
  }

  const Endpoint to_;
  std::mutex mutex_;
  std::string request_;
  Scripted server_;
};

class WithProxy : public testing::Test {
 protected:
  void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }
  void TearDown() override {
    for (const char* const name : {"http_proxy", "https_proxy", "no_proxy"})
      ::unsetenv(name);
  }
};

TEST_F(WithProxy, TunnelsTlsToTheNamedServer) {
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  const auto ca = *make_ca("Test CA", now);
  const auto own = *make_server_certificate(ca, {"control.example"}, now);
  HttpServer::Options server;
  server.tls = HttpServer::Tls{own.certificate_pem, own.key_pem};
  const TestServer test(server);
  TestProxy proxy(test.endpoint);
  set("https_proxy", "http://user:p%40ss@" + proxy.endpoint());
  HttpClient::Options options;
  options.url = "https://control.example:9090";  // only the proxy knows where that is
  options.ca_pem = ca.certificate_pem;
  const auto answer = get(options);
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->body, "GET / ");
  EXPECT_THAT(proxy.first_request(), testing::StartsWith("CONNECT control.example:9090 HTTP/1.1"));
  EXPECT_THAT(proxy.first_request(), HasSubstr("Proxy-Authorization: Basic dXNlcjpwQHNz\r\n"));
}

TEST_F(WithProxy, AsksForPlainHttpInAbsoluteForm) {
  TestProxy proxy("127.0.0.1:1");
  set("http_proxy", proxy.endpoint());
  HttpClient::Options options;
  options.url = "http://control.example:9090";
  EXPECT_EQ(get(options)->body, "ok");
  EXPECT_THAT(proxy.first_request(),
              testing::StartsWith("GET http://control.example:9090/ HTTP/1.1\r\n"));
}

TEST_F(WithProxy, NamesAProxyThatRefuses) {
  const Scripted refusing([](Fd& fd, int) {
    read_request(fd);
    say(fd, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
  });
  set("https_proxy", "http://" + refusing.endpoint());
  HttpClient::Options options;
  options.url = "https://control.example";
  EXPECT_THAT(get(options).error().message(),
              HasSubstr("ask the proxy for control.example:443: it refuses with status 407"));
}

TEST(Proxy, IsChosenByTheVariables) {
  const auto chosen = [](const std::string& url, std::string exceptions) {
    const auto proxy = proxy_for(*parse_url(url), [&](const std::string& name) -> std::string {
      if (name == "http_proxy") return "http://p:1/";
      if (name == "https_proxy") return "q:2";
      return name == "no_proxy" ? exceptions : "";
    });
    return *proxy ? to_string((*proxy)->at) : "";
  };
  EXPECT_EQ(chosen("http://a", ""), "p:1");
  EXPECT_EQ(chosen("https://a", ""), "q:2");
  for (const std::string url : {"http://127.0.0.1", "http://localhost", "https://[::1]:9090",
                                "unix:/run/s", "http://127.8.9.1"})
    EXPECT_EQ(chosen(url, ""), "") << url;
  EXPECT_EQ(chosen("http://a.example.com", "b, .example.com"), "");
  EXPECT_EQ(chosen("http://a.example.com", "example.com"), "");
  EXPECT_EQ(chosen("http://a.example.com", "*.example.com"), "");
  EXPECT_EQ(chosen("http://anexample.com", "example.com"), "p:1");
  EXPECT_EQ(chosen("http://10.1.2.3", "10.0.0.0/8"), "");
  EXPECT_EQ(chosen("http://10.1.2.3:8080", "10.1.2.3:80"), "p:1");
  EXPECT_EQ(chosen("http://a", "*"), "");
  const auto secret = proxy_for(*parse_url("http://a"), [](const std::string& name) -> std::string {
    return name == "http_proxy" ? "http://user:secret@:x" : "";
  });
  ASSERT_FALSE(secret);
  EXPECT_THAT(secret.error().message(), testing::Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace beaconry
