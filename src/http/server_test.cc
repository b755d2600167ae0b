// What the server does with well-behaved clients.
#include "http/server.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>

#include "http/test_support.h"

namespace beaconry {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

HttpRequest get(const std::string& target) {
  HttpRequest request;
  request.target = target;
  return request;
}

HttpRequest post(const std::string& target, std::string body) {
  HttpRequest request;
  request.method = "POST";
  request.target = target;
  request.body = std::move(body);
  return request;
}

TEST(HttpServer, AnswersOnOneConnectionAgainAndAgain) {
  const TestServer test;
  const auto client = test.client();
  for (int i = 0; i < 20; ++i) {
    const auto answer = client->send(get("/a?n=" + std::to_string(i)));
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->content_type, "text/plain");
    EXPECT_EQ(answer->body, "GET /a?n=" + std::to_string(i) + " ");
    EXPECT_THAT(std::string(answer->header("date")), HasSubstr(" GMT"));
  }
  EXPECT_EQ(test.server->counters().connections, 1U);
  EXPECT_EQ(test.server->counters().requests, 20U);
}

TEST(HttpServer, TakesAndGivesLargeBodies) {
  TestServer test;
  test.handler.on_admit = [](const HttpRequest&) {
    return HttpHandler::Admission{std::nullopt, 8 << 20};
  };
  std::string body(5'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); i += 97)
    body[i] = static_cast<char>(i % 251);
  const auto client = test.client();
  const auto answer = client->send(post("/", body));
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_TRUE(answer->body == "POST / " + body);
}

TEST(HttpServer, TellsTheHandlerWhoAsks) {
  TestServer test;
  HttpPeer peer;
  test.handler.on_handle = [&](const HttpRequest& request) {
    peer = request.peer;
    return HttpResponse{};
  };
  ASSERT_TRUE(test.client()->send(get("/")));
  EXPECT_EQ(peer.address, *IpAddress::parse("127.0.0.1"));
  EXPECT_NE(peer.port, 0);
  EXPECT_FALSE(peer.unix_socket || peer.tls);
  EXPECT_TRUE(peer.is_local());
}

TEST(HttpServer, RefusesBeforeTheBodyIsRead) {
  TestServer test;
  test.handler.on_admit = [](const HttpRequest& head) {
    HttpHandler::Admission out;
    if (head.target == "/secret") {
      out.refusal.emplace();
      out.refusal->status = 401;
    }
    out.most_body = 10;
    return out;
  };
  const std::string length = "Host: a\r\nContent-Length: 100000000\r\n\r\n";
  const auto secret = ask_raw(test.endpoint, "POST /secret HTTP/1.1\r\n" + length);
  EXPECT_THAT(secret, StartsWith("HTTP/1.1 401 Unauthorized\r\n"));
  EXPECT_THAT(secret, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(ask_raw(test.endpoint, "POST /a HTTP/1.1\r\n" + length), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask_raw(test.endpoint,
                      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked"
                      "\r\n\r\nff\r\n" +
                          std::string(255, 'x') + "\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  // A client that sends all the same gets the answer, not a reset.
  const auto client = test.client();
  const auto answer = client->send(post("/a", std::string(3'000'000, 'x')));
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->status, 413);
}

TEST(HttpServer, TakesChunkedBodiesAndContinues) {
  const TestServer test;
  RawConnection connection(test.endpoint);
  connection.send(
      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(connection.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  for (const char c : std::string("3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"))
    connection.send({&c, 1});
  EXPECT_THAT(connection.read_until("POST /a abcde"), HasSubstr("Content-Length: 13\r\n"));
  connection.send("GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(connection.read_all(), HasSubstr("GET /next "));
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  const TestServer test;
  const auto answers = ask_raw(test.endpoint,
                               "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
                               "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
                               "\r\nGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const auto one = answers.find("GET /1 "), two = answers.find("POST /2 hi"),
             three = answers.find("GET /3 ");
  ASSERT_NE(three, std::string::npos) << answers;
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
}

TEST(HttpServer, SpeaksHttp10AndHead) {
  const TestServer test;
  EXPECT_THAT(ask_raw(test.endpoint, "GET /old HTTP/1.0\r\n\r\n"),
              testing::AllOf(HasSubstr("Connection: close"), HasSubstr("GET /old ")));
  const auto head =
      ask_raw(test.endpoint, "HEAD /h HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(head, testing::EndsWith("\r\n\r\n"));
  EXPECT_THAT(ask_raw(test.endpoint,
                      "GET http://b:1/abs?x HTTP/1.1\r\nHost: a\r\n"
                      "Connection: close\r\n\r\n"),
              HasSubstr("GET /abs?x "));
}

TEST(HttpServer, AnswersAnExceptionWith500) {
  TestServer test;
  test.handler.on_handle = [](const HttpRequest&) -> HttpResponse {
    throw std::runtime_error("a fault");
  };
  const auto answer = test.client()->send(get("/"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_THAT(answer->body, Not(HasSubstr("a fault")));
}

TEST(HttpServer, KeepsFieldsOfAHandlerOnTheirLines) {
  TestServer test;
  test.handler.on_handle = [](const HttpRequest&) {
    HttpResponse out;
    out.headers = {{"X-One", "a\r\nX-Two: b"}, {"Content-Length", "1"}};
    out.body = "whole";
    return out;
  };
  const auto answer = test.client()->send(get("/"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header("x-two"), "");
  EXPECT_EQ(answer->body, "whole");
}

TEST(HttpServer, ListensOnIpv6AndOnSeveral) {
  HttpServer::Options options;
  options.listen = {"[::1]:0", "127.0.0.1:0", "localhost:0"};
  TestHandler handler;
  const auto server = HttpServer::start(options, handler);
  if (!server) GTEST_SKIP() << "no IPv6 here: " << server.error().message();
  for (const std::string& endpoint : (*server)->endpoints()) {
    HttpClient::Options to;
    to.url = "http://" + endpoint;
    const auto answer = (*HttpClient::make(to))->send(get("/"));
    EXPECT_TRUE(answer) << answer.error().message();
  }
}

TEST(HttpServer, SaysWhyItCannotListen) {
  const TestServer test;
  TestHandler handler;
  HttpServer::Options options;
  for (const auto& [listen, words] :
       std::vector<std::pair<std::string, std::string>>{{test.endpoint, "another program listens"},
                                                        {"example.com:80", "127.0.0.1:9090"},
                                                        {"127.0.0.1", "127.0.0.1:9090"},
                                                        {"127.0.0.1:70000", "127.0.0.1:9090"},
                                                        {"unix:", "path is missing"}}) {
    options.listen = {listen};
    const auto server = HttpServer::start(options, handler);
    ASSERT_FALSE(server) << listen;
    EXPECT_THAT(server.error().message(), HasSubstr(words));
  }
}

TEST(HttpServer, ListensOnAUnixSocketOfItsOwner) {
  char folder[] = "/tmp/beaconry-http-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = std::string(folder) + "/s";
  HttpServer::Options options;
  options.listen = {"unix:" + path};
  {
    // A server that was killed leaves its file.
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const Fd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  {
    TestServer test(options);
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    bool local = false;
    test.handler.on_handle = [&](const HttpRequest& request) {
      local = request.peer.unix_socket && request.peer.is_local();
      return HttpResponse{};
    };
    ASSERT_TRUE(test.client()->send(get("/")));
    EXPECT_TRUE(local);
    TestHandler other;
    const auto second = HttpServer::start(options, other);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message(), HasSubstr("another program listens"));
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  std::ofstream(path) << "precious";
  TestHandler handler;
  EXPECT_FALSE(HttpServer::start(options, handler));
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  ::unlink(path.c_str());
  ::rmdir(folder);
}

TEST(HttpServer, LetsRunningRequestsEndWhenItStops) {
  TestServer test;
  std::atomic<bool> running{false}, go_on{false};
  test.handler.on_handle = [&](const HttpRequest&) {
    running = true;
    wait_for([&] { return go_on.load(); });
    HttpResponse out;
    out.body = "done";
    return out;
  };
  RawConnection connection(test.endpoint), idle(test.endpoint);
  connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(wait_for([&] { return running.load(); }));
  std::thread stopping([&] { test.server->stop(kPatience); });
  EXPECT_EQ(idle.read_all(), "");  // ends at once
  go_on = true;
  const auto answer = connection.read_all();
  connection.close();
  stopping.join();
  EXPECT_THAT(answer, testing::AllOf(HasSubstr("Connection: close"), HasSubstr("done")));
  EXPECT_EQ(test.server->counters().open, 0U);
}

}  // namespace
}  // namespace beaconry
