#include "web/page.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <vector>

#include "web/gzip.h"

namespace beaconry {
namespace {

std::vector<unsigned char> packed(std::string_view text) {
  std::vector<unsigned char> out(1024);
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

constexpr std::string_view kIndex = "<!doctype html><p>the page</p>";
constexpr std::string_view kScript = "console.log('the script of the page');";
constexpr std::string_view kPicture = "<svg></svg>";

class WebPageTest : public testing::Test {
 protected:
  HttpResponse get(std::string_view path, HttpHeaders headers = {}) const {
    HttpRequest request;
    request.headers = std::move(headers);
    return WebPage(assets_).answer(request, path);
  }

  const std::vector<unsigned char> index_ = packed(kIndex), script_ = packed(kScript),
                                   picture_ = packed(kPicture);
  const std::vector<WebAsset> assets_{
      {"index.html", "text/html; charset=utf-8", "aaaa", index_, kIndex.size(), false},
      {"assets/index-1.js", "text/javascript; charset=utf-8", "bbbb", script_, kScript.size(),
       true},
      {"favicon.svg", "image/svg+xml", "cccc", picture_, kPicture.size(), false}};
};

TEST_F(WebPageTest, EveryAnswerForbidsWhatIsFromElsewhere) {
  for (const char* path : {"", "index.html", "assets/index-1.js", "assets/none.js", "../x"}) {
    const HttpResponse response = get(path);
    const std::string_view policy = response.header("content-security-policy");
    for (const char* part : {"default-src 'none'", "script-src 'self';", "style-src 'self';",
                             "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"}) {
      EXPECT_NE(policy.find(part), std::string_view::npos) << path << ": " << policy;
    }
    EXPECT_EQ(policy.find("unsafe"), std::string_view::npos);
    EXPECT_EQ(response.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(response.header("referrer-policy"), "no-referrer");
  }
}

TEST_F(WebPageTest, ViewsOfThePageAreAnsweredWithItsIndex) {
  for (const char* path : {"", "index.html", "beacons", "beacons/10.0.0.5->192.0.2.1:443/TCP",
                           "leaks/0123", "no/such/view.html"}) {
    const HttpResponse response = get(path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.body, kIndex) << path;
    EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
    EXPECT_EQ(response.header("cache-control"), "no-store");
    EXPECT_EQ(response.header("etag"), "");
  }
}

TEST_F(WebPageTest, FilesThatAreNotThereAndPathsThatClimbAreNotFound) {
  for (const char* path : {"assets/none.js", "assets/", "../../etc/passwd",
                           "beacons/../../etc/passwd", "assets/../index.html", "..", "..\\x"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
  EXPECT_EQ(get(std::string_view("index.html\0.js", 14)).status, 404);
}

TEST_F(WebPageTest, NamesThatChangeWithTheirContentMayBeKeptForever) {
  EXPECT_NE(get("assets/index-1.js").header("cache-control").find("immutable"),
            std::string_view::npos);
  EXPECT_EQ(get("favicon.svg").header("cache-control"), "no-cache");
}

TEST_F(WebPageTest, WhatABrowserHasIsNotSentAgain) {
  const std::string tag(get("favicon.svg").header("etag"));
  ASSERT_FALSE(tag.empty());
  for (const std::string& known : {tag, "\"x\", " + tag, tag.substr(2), std::string("*")}) {
    const HttpResponse response = get("favicon.svg", {{"if-none-match", known}});
    EXPECT_EQ(response.status, 304) << known;
    EXPECT_TRUE(response.body.empty());
    EXPECT_EQ(response.header("etag"), tag);
  }
  EXPECT_EQ(get("favicon.svg", {{"if-none-match", "\"dddd\""}}).status, 200);
}

TEST_F(WebPageTest, IsCompressedForWhoTakesThatAndPlainForTheOthers) {
  struct Case {
    const char* accept;
    bool gzip;
  };
  for (const Case& one :
       {Case{"gzip", true}, Case{"br, GZip;q=0.5", true}, Case{"*", true}, Case{"", false},
        Case{"br", false}, Case{"gzip;q=0", false}, Case{"gzip; q=0.000, *", false},
        Case{"*;q=0", false}, Case{"identity", false}, Case{",,;", false}}) {
    const HttpResponse response = get("assets/index-1.js", {{"accept-encoding", one.accept}});
    EXPECT_EQ(response.header("content-encoding"), one.gzip ? "gzip" : "") << one.accept;
    EXPECT_EQ(response.header("vary"), "Accept-Encoding");
    if (one.gzip) {
      EXPECT_EQ(response.body, std::string(script_.begin(), script_.end()));
    } else {
      EXPECT_EQ(response.body, kScript);
    }
  }
}

TEST_F(WebPageTest, SaysHowToBuildThePageWhereItIsMissing) {
  const HttpResponse response = WebPage(std::span<const WebAsset>()).answer(HttpRequest(), "");
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.body.find("BEACONRY_WEB=ON"), std::string::npos);
}

TEST_F(WebPageTest, EveryFileThatIsBuiltInUnpacks) {
  for (const WebAsset& asset : web_assets()) {
    const auto plain = unpack_gzip(asset.gzip, asset.size);
    ASSERT_TRUE(plain) << asset.path;
    EXPECT_FALSE(plain->empty());
    EXPECT_EQ(asset.hashed, asset.path.substr(0, 7) == "assets/");
    if (asset.path == "index.html") {
      EXPECT_EQ(plain->find("<style"), std::string::npos) << "the policy forbids it inline";
      EXPECT_EQ(plain->find("<script>"), std::string::npos) << "the policy forbids it inline";
    }
  }
}

TEST(UnpackGzip, RefusesWhatIsDamagedOrOfAnotherSize) {
  auto bytes = packed("some words");
  EXPECT_TRUE(unpack_gzip(bytes, 10));
  EXPECT_FALSE(unpack_gzip(bytes, 9));
  EXPECT_FALSE(unpack_gzip(bytes, 11));
  bytes[bytes.size() - 6] ^= 1;
  EXPECT_FALSE(unpack_gzip(bytes, 10));
  EXPECT_FALSE(unpack_gzip({}, 10));
}

TEST(WantsPage, OnlyWhereAcceptNamesHtml) {
  const auto asks = [](const char* accept) {
    HttpRequest request;
    request.headers = {{"accept", accept}};
    return wants_page(request);
  };
  EXPECT_TRUE(asks("text/html,application/xhtml+xml,*/*;q=0.8"));
  EXPECT_TRUE(asks("application/json, Text/HTML;q=0.9"));
  EXPECT_FALSE(asks("*/*"));
  EXPECT_FALSE(asks("application/json"));
  EXPECT_FALSE(asks("text/html;q=0"));
  EXPECT_FALSE(asks(""));
}

}  // namespace
}  // namespace beaconry
