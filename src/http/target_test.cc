#include "http/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "http/message.h"

namespace beaconry {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Target, GivesPathAndParameters) {
  HttpRequest request;
  request.target = "/api/v1/pairs/10.0.0.5-%3E1.2.3.4%3A443%2FTCP?limit=5&min=a+b%2Bc&&flag&x==";
  EXPECT_EQ(request.path(), "/api/v1/pairs/10.0.0.5->1.2.3.4:443/TCP");
  EXPECT_THAT(request.parameters(), ElementsAre(Pair("limit", "5"), Pair("min", "a b+c"),
                                                Pair("flag", ""), Pair("x", "=")));
  request.target = "/plain";
  EXPECT_EQ(request.path(), "/plain");
  EXPECT_THAT(request.parameters(), ElementsAre());
}

TEST(Target, LeavesBrokenEscapesAsTheyAre) {
  EXPECT_EQ(percent_decoded("%"), "%");
  EXPECT_EQ(percent_decoded("%4"), "%4");
  EXPECT_EQ(percent_decoded("%zz%41+"), "%zzA+");
}

RC_GTEST_PROP(Target, DecodesWhatItEncodes, (const std::string& text)) {
  RC_ASSERT(percent_decoded(percent_encoded(text)) == text);
  RC_ASSERT(percent_decoded(percent_encoded(text), true) == text);
}

TEST(Host, IsANameOrAnAddressWithAPort) {
  for (const auto& [text, host, port] :
       std::vector<std::tuple<std::string, std::string, int>>{{"Example.COM", "example.com", -1},
                                                              {"a:80", "a", 80},
                                                              {"10.0.0.1:9090", "10.0.0.1", 9090},
                                                              {"[::1]", "::1", -1},
                                                              {"[2001:DB8::1]:1", "2001:db8::1", 1},
                                                              {"my_host-1", "my_host-1", -1}}) {
    const auto parsed = parse_host_port(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->host, host);
    EXPECT_EQ(parsed->port ? *parsed->port : -1, port);
  }
  for (const std::string text : {"", ":80", "a:", "a:b", "a:1:2", "::1", "[::1", "[::1]x", "[a]",
                                 "a/b", "a b", "a:65536", "a,b", "[1.2.3.4]", "user@a"})
    EXPECT_FALSE(parse_host_port(text)) << text;
}

TEST(Url, NamesSchemeHostPortAndPrefix) {
  const auto plain = parse_url("http://a");
  ASSERT_TRUE(plain);
  EXPECT_EQ(to_string(plain->at), "a:80");
  EXPECT_EQ(plain->prefix, "");
  const auto tls = parse_url("HTTPS://[::1]:9/x/y/");
  ASSERT_TRUE(tls && tls->tls);
  EXPECT_EQ(to_string(tls->at), "[::1]:9");
  EXPECT_EQ(tls->prefix, "/x/y");
  EXPECT_EQ(parse_url("unix:/run/a.sock")->unix_path, "/run/a.sock");
  EXPECT_EQ(parse_url("unix:///run/a.sock")->unix_path, "/run/a.sock");
  for (const std::string text : {"", "a", "a:80", "ftp://a", "http://", "http://user:pw@a/",
                                 "unix:", "http://a/b c", "http://a/?q"})
    EXPECT_FALSE(parse_url(text)) << text;
}

}  // namespace
}  // namespace beaconry
