#include "packet/http_request.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

TEST(HttpRequest, FindsTheHost) {
  const struct {
    const char* request;
    const char* host;
    bool connect;
  } cases[] = {
      {"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "example.com", false},
      {"POST /a?b HTTP/1.1\r\nAccept: */*\r\nhOsT:example.com:8080 \r\n", "example.com:8080",
       false},
      {"GET / HTTP/1.0\nHost: bare-newlines.example\n\n", "bare-newlines.example", false},
      {"GET http://user:pw@proxied.example:80/x HTTP/1.1\r\nHost: other.example\r\n\r\n",
       "proxied.example:80", false},
      {"GET http://proxied.example?q HTTP/1.1\r\n", "proxied.example", false},
      {"CONNECT tunnel.example:443 HTTP/1.1\r\n", "tunnel.example:443", true},
      {"OPTIONS * HTTP/1.1\r\nHost: example.com\r\n", "example.com", false},
  };
  for (const auto& c : cases) {
    ASSERT_TRUE(looks_like_http_request(as_bytes(c.request)));
    const RequestedHost request = http_request(as_bytes(c.request));
    EXPECT_EQ(request.host.status, NameStatus::found) << c.request;
    EXPECT_EQ(request.host.name, c.host);
    EXPECT_EQ(request.connect, c.connect);
  }
}

TEST(HttpRequest, WaitsForTheHeaderThatDecides) {
  const std::string_view request = "GET / HTTP/1.1\r\nAccept: */*\r\nHost: example.com\r\n";
  for (std::size_t size = 4; size < request.size(); ++size) {
    EXPECT_EQ(http_request(as_bytes(request.substr(0, size))).host.status, NameStatus::needs_more);
  }
}

TEST(HttpRequest, MayNameNobody) {
  for (const char* request :
       {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\x1b[31m\r\n\r\n", "GET / HTTP/1.1\r\nX-Host: a\r\n\r\n"}) {
    EXPECT_EQ(http_request(as_bytes(request)).host.status, NameStatus::absent) << request;
  }
}

TEST(HttpRequest, IsNotSeenInOtherText) {
  for (const char* text : {"HELO example.com\r\n", "GETTING\r\n", "", "get / HTTP/1.1\r\n",
                           "\x16\x03\x01", "SSH-2.0-OpenSSH\r\n"}) {
    EXPECT_FALSE(looks_like_http_request(as_bytes(text))) << text;
    EXPECT_EQ(http_request(as_bytes(text)).host.status, NameStatus::other);
  }
  EXPECT_EQ(http_request(as_bytes("GET me a coffee\r\n")).host.status, NameStatus::other);
}

}  // namespace
}  // namespace beaconry
