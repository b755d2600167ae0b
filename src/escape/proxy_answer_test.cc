#include "escape/proxy_answer.h"

#include <gmock/gmock.h>

namespace beaconry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(HttpAnswer, ReadsStatusHeadAndLength) {
  const std::string_view text = "HTTP/1.0 200 OK\r\nContent-LENGTH:  12 \r\nVia: x\r\n\r\nbody";
  const HttpAnswerHead head = read_http_answer(as_bytes(text));
  EXPECT_EQ(head.status, HttpAnswerHead::Status::found);
  EXPECT_EQ(head.code, 200U);
  EXPECT_EQ(text.substr(head.size), "body");
  EXPECT_EQ(head.body_size, 12U);
  for (std::size_t cut = 0; cut < head.size; ++cut) {
    EXPECT_EQ(read_http_answer(as_bytes(text.substr(0, cut))).status,
              HttpAnswerHead::Status::needs_more)
        << cut;
  }
}

TEST(HttpAnswer, TakesNothingElseForOne) {
  for (const std::string_view text : {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/2", "HTTP/1.1 999 x\r\n\r\n",
                                      "HTTP/1.1\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n"}) {
    EXPECT_EQ(read_http_answer(as_bytes(text)).status, HttpAnswerHead::Status::other) << text;
  }
  const std::string endless = "HTTP/1.1 200 OK\r\n" + std::string(10'000, 'a');
  EXPECT_EQ(read_http_answer(as_bytes(endless)).status, HttpAnswerHead::Status::other);
}

TEST(SocksAnswer, IsAsLongAsItsAddress) {
  const auto read5 = [](std::vector<std::uint8_t> bytes) { return read_socks5_answer(bytes); };
  EXPECT_EQ(read5({5, 0, 0, 1, 1, 2, 3, 4, 0, 80, 9}).size, 10U);
  EXPECT_EQ(read5({5, 0, 0, 3, 2, 'a', 'b', 0, 80}).size, 9U);
  EXPECT_EQ(read5({5, 0, 0, 1, 1, 2, 3, 4, 0}).size, 0U) << "more must come";
  EXPECT_FALSE(read5({5, 5}).granted) << "refused";
  EXPECT_EQ(read5({5, 5}).size, 2U);
  EXPECT_FALSE(read5({5, 0, 0, 9}).granted) << "an unknown kind of address";
  EXPECT_GT(read5({5, 0, 0, 9}).size, 0U);
  const std::uint8_t granted[] = {0, 90, 0, 0, 0, 0, 0, 0}, refused[] = {0, 91, 0, 0, 0, 0, 0, 0};
  EXPECT_TRUE(read_socks4_answer(granted).granted);
  EXPECT_FALSE(read_socks4_answer(refused).granted);
  const std::uint8_t none[] = {5, 0}, password[] = {5, 2};
  EXPECT_TRUE(read_socks5_greeting(none).granted);
  EXPECT_FALSE(read_socks5_greeting(password).granted);
  EXPECT_EQ(read_socks5_greeting({}).size, 0U);
}

TEST(HttpUrl, HasHostPortAndPath) {
  const auto url = parse_http_url(" http://wpad.example:8080/wpad.dat?x ");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "wpad.example");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(url->path, "/wpad.dat?x");
  EXPECT_EQ(parse_http_url("HTTP://[2001:db8::1]")->host, "2001:db8::1");
  EXPECT_EQ(parse_http_url("http://10.0.1.5")->path, "/");
  for (const std::string_view bad :
       {"https://wpad/", "http://", "http://a b/", "http://a:0/", "http://a:99999/", "http://a:x/",
        "http://a/\r\nHost: b", "ftp://a/", "http://user@a/", "http://[::1"}) {
    EXPECT_FALSE(parse_http_url(bad)) << bad;
  }
}

TEST(Pac, GivesTheProxiesThatStandThereLiterally) {
  constexpr std::string_view kScript = R"(
    // Our proxy server: see the intranet. PROXY needs a port.
    function FindProxyForURL(url, host) {
      if (isPlainHostName(host)) return "DIRECT";
      if (shExpMatch(host, "*.lab")) return 'SOCKS5 10.0.1.8:1080; SOCKS [2001:db8::8]:1080';
      return "PROXY proxy.example:3128; proxy 10.0.1.7:8080;PROXY proxy.example:3128; DIRECT";
    })";
  EXPECT_THAT(
      pac_proxies(kScript),
      ElementsAre(PacProxy{"10.0.1.8", 1080, true}, PacProxy{"2001:db8::8", 1080, true},
                  PacProxy{"proxy.example", 3128, false}, PacProxy{"10.0.1.7", 8080, false}));
}

TEST(Pac, IsBounded) {
  std::string script;
  for (int i = 0; i < 100; ++i)
    script += "\"PROXY 10.0.0." + std::to_string(i) + ":80\"";
  EXPECT_EQ(pac_proxies(script).size(), kMostPacProxies);
  EXPECT_THAT(pac_proxies(std::string(kLongestPac, ' ') + "PROXY a:80"), IsEmpty());
  EXPECT_THAT(pac_proxies("XPROXY a:80 PROXY a:0 PROXY a:70000 PROXY a PROXY"), IsEmpty());
}

}  // namespace
}  // namespace beaconry
