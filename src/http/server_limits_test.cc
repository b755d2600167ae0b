// What the server does with clients that are slow, many, or not what they should be.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <atomic>

#include "http/test_support.h"

namespace beaconry {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

// An address of this machine that is not loopback; empty where there is none.
std::string outer_address() {
  std::string found;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return found;
  for (const ifaddrs* each = all; each != nullptr && found.empty(); each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_INET) continue;
    if ((each->ifa_flags & IFF_LOOPBACK) != 0 || (each->ifa_flags & IFF_UP) == 0) continue;
    char text[INET_ADDRSTRLEN] = {};
    const auto* address = reinterpret_cast<const sockaddr_in*>(each->ifa_addr);
    ::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
    found = text;
  }
  ::freeifaddrs(all);
  return found;
}

HttpServer::Options impatient() {
  HttpServer::Options options;
  options.header_timeout = options.body_timeout = options.write_timeout = std::chrono::seconds{1};
  return options;
}

TEST(HttpLimits, CutOffASlowHead) {
  const TestServer test(impatient());
  RawConnection connection(test.endpoint);
  connection.send("GET / HTTP/1.1\r\nHost:");
  EXPECT_THAT(connection.read_all(), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(test.server->counters().timed_out, 1U);
}

TEST(HttpLimits, CutOffABodyThatTrickles) {
  const TestServer test(impatient());
  RawConnection connection(test.endpoint);
  connection.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  // A byte now and then is movement, but no kilobyte a second.
  EXPECT_TRUE(wait_for([&] {
    connection.send("x");
    return test.server->counters().timed_out == 1;
  }));
  EXPECT_THAT(connection.read_all(), StartsWith("HTTP/1.1 408 "));
}

TEST(HttpLimits, CutOffWhoDoesNotReadItsAnswer) {
  TestServer test(impatient());
  test.handler.on_handle = [](const HttpRequest&) {
    HttpResponse out;
    out.body.assign(64 << 20, 'x');
    return out;
  };
  RawConnection connection(test.endpoint, 4'096);
  connection.send(kGet);
  EXPECT_TRUE(wait_for([&] { return test.server->counters().timed_out == 1; }));
  EXPECT_TRUE(wait_for([&] { return test.server->counters().open == 0; }));
}

TEST(HttpLimits, CloseIdleConnectionsInTime) {
  HttpServer::Options options;
  options.idle_timeout = std::chrono::seconds{1};
  const TestServer test(options);
  RawConnection silent(test.endpoint), used(test.endpoint);
  used.send(kGet);
  EXPECT_THAT(used.read_until("GET / "), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_EQ(used.read_all(), "");
  EXPECT_EQ(silent.read_all(), "");
}

TEST(HttpLimits, MakePlaceByTheLongestIdle) {
  HttpServer::Options options;
  options.most_connections = 3;
  TestServer test(options);
  RawConnection first(test.endpoint), second(test.endpoint), third(test.endpoint);
  for (RawConnection* one : {&first, &second, &third, &first}) {  // so the second is the oldest
    one->send(kGet);
    EXPECT_THAT(one->read_until("GET / "), StartsWith("HTTP/1.1 200 OK"));
  }
  RawConnection fourth(test.endpoint);
  fourth.send(kGet);
  EXPECT_THAT(fourth.read_until("GET / "), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_EQ(second.read_all(), "");
  EXPECT_EQ(test.server->counters().evicted, 1U);
  first.send(kGet);
  EXPECT_THAT(first.read_until("GET / "), StartsWith("HTTP/1.1 200 OK"));
}

TEST(HttpLimits, RefuseConnectionsWhereNoneIsIdle) {
  HttpServer::Options options;
  options.most_connections = 2;
  std::atomic<bool> go_on{false};  // outlive the server's workers
  std::atomic<int> running{0};
  TestServer test(options);
  test.handler.on_handle = [&](const HttpRequest&) {
    ++running;
    wait_for([&] { return go_on.load(); });
    return HttpResponse{};
  };
  RawConnection first(test.endpoint), second(test.endpoint);
  first.send(kGet);
  second.send(kGet);
  ASSERT_TRUE(wait_for([&] { return running == 2; }));
  const auto third = ask_raw(test.endpoint, kGet);
  EXPECT_THAT(third, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(third, HasSubstr("Retry-After: "));
  EXPECT_EQ(test.server->counters().refused_connections, 1U);
  go_on = true;
  EXPECT_THAT(first.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST(HttpLimits, RefuseRequestsThatWouldWaitTooLong) {
  HttpServer::Options options;
  options.workers = 1;
  options.most_queued = 1;
  std::atomic<bool> go_on{false}, running{false};  // outlive the server's workers
  TestServer test(options);
  test.handler.on_handle = [&](const HttpRequest&) {
    running = true;
    wait_for([&] { return go_on.load(); });
    return HttpResponse{};
  };
  RawConnection first(test.endpoint), second(test.endpoint), third(test.endpoint);
  first.send(kGet);
  ASSERT_TRUE(wait_for([&] { return running.load(); }));
  second.send(kGet);
  ASSERT_TRUE(wait_for([&] { return test.server->counters().requests == 2; }));
  third.send(kGet);
  const auto refused = third.read_until("}\n");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(refused, HasSubstr("Connection: keep-alive"));
  EXPECT_EQ(test.server->counters().overloaded, 1U);
  go_on = true;
  EXPECT_THAT(second.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST(HttpLimits, ConnectionsOfWhoIsKnownDoNotCountAgainstTheirAddress) {
  const std::string address = outer_address();
  if (address.empty()) GTEST_SKIP() << "loopback has no limit, and there is no other address here";
  HttpServer::Options options;
  options.listen = {address + ":0"};
  options.most_connections_a_client = 1;
  TestServer test(options);
  test.handler.on_admit = [](const HttpRequest& head) {
    HttpHandler::Admission admission;
    admission.known = head.path() == "/known";
    return admission;
  };
  constexpr std::string_view kKnown = "GET /known HTTP/1.1\r\nHost: a\r\n\r\n";
  RawConnection first(test.endpoint);
  for (int i = 0; i < 2; ++i) {  // it is let go once
    first.send(kKnown);
    EXPECT_THAT(first.read_until("GET /known "), StartsWith("HTTP/1.1 200 "));
  }
  RawConnection second(test.endpoint);
  second.send(kGet);
  EXPECT_THAT(second.read_until("GET / "), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask_raw(test.endpoint, kGet), StartsWith("HTTP/1.1 429 "));
  first.close();
  EXPECT_TRUE(wait_for([&] { return test.server->counters().open == 1; }));
  EXPECT_THAT(ask_raw(test.endpoint, kGet), StartsWith("HTTP/1.1 429 "));
}

TEST(HttpLimits, BoundTheRateOfAClient) {
  const std::string address = outer_address();
  if (address.empty()) GTEST_SKIP() << "loopback has no limit, and there is no other address here";
  HttpServer::Options options;
  options.listen = {address + ":0"};
  options.requests_a_second_a_client = 0.2;  // ten seconds' burst: two
  const TestServer test(options);
  const auto client = test.client();
  EXPECT_EQ(client->send({})->status, 200);
  EXPECT_EQ(client->send({})->status, 200);
  const auto refused = client->send({});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 429);
  EXPECT_THAT(std::string(refused->header("retry-after")), testing::AnyOf("4", "5"));
  EXPECT_EQ(test.server->counters().rate_limited, 1U);
}

TEST(HttpLimits, BoundTheHead) {
  HttpServer::Options options;
  options.most_header_bytes = 1'000;
  const TestServer test(options);
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  EXPECT_THAT(ask_raw(test.endpoint, head + std::string(2'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ask_raw(test.endpoint, head + std::string(100'000, 'x')),  // without an end
              StartsWith("HTTP/1.1 431 "));
  EXPECT_EQ(test.server->counters().malformed, 2U);
}

TEST(HttpLimits, AnswerWhatIsNotHttpAndEnd) {
  const TestServer test;
  const std::vector<std::string> all = {
      std::string("\x16\x03\x01\x02\x00", 5),  // a TLS ClientHello
      "\n",
      " GET / HTTP/1.1\r\n",
      "GET / HTTP/1.1\nHost: a\n",
      "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
  };
  for (const std::string& bytes : all) {
    const auto answer = ask_raw(test.endpoint, bytes);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 ")) << bytes;
    EXPECT_THAT(answer, HasSubstr("Connection: close"));
  }
  EXPECT_EQ(test.server->counters().malformed, all.size());
}

TEST(HttpLimits, SurviveClientsThatVanishAnywhere) {
  TestServer test;
  const std::string request = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  for (std::size_t size = 0; size <= request.size(); ++size) {
    RawConnection connection(test.endpoint);
    connection.send(std::string_view(request).substr(0, size));
  }
  EXPECT_TRUE(wait_for([&] { return test.server->counters().open == 0; }));
  EXPECT_EQ(test.client()->send({})->status, 200);
}

}  // namespace
}  // namespace beaconry
