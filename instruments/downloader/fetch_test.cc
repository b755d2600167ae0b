#include "downloader/fetch.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>

#include "downloader/fetch_queue.h"
#include "downloader/url.h"
#include "http/server.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;
constexpr const char* kHelloHash =
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";  // of "hello"

std::string uuid(int number) {
  return "00000000-0000-4000-8000-00000000000" + std::to_string(number);
}

// What a server of files may say.
class Files : public HttpHandler {
 public:
  Admission admit(const HttpRequest&) override { return {}; }
  HttpResponse handle(HttpRequest request) override {
    const std::string path = request.path();
    {
      const std::lock_guard lock(mutex_);
      asked.push_back(request.target);
    }
    HttpResponse answer;
    answer.content_type = "application/octet-stream";
    if (path == "/hello" || path == "/signed") {
      answer.headers.emplace_back("ETag", "\"v1\"");
      answer.body = "hello";
      if (request.header("if-none-match") == "\"v1\"") {
        answer.status = 304;
        answer.body.clear();
      }
    } else if (path == "/signed.minisig") {
      answer.body = "untrusted comment: x\n";
    } else if (path == "/moved/once") {
      answer.status = 302;
      answer.headers.emplace_back("Location", "../hello?x=1");
    } else if (path == "/moved/../hello") {
      answer.body = "hello";
    } else if (path == "/round") {
      answer.status = 301;
      answer.headers.emplace_back("Location", "/round");
    } else if (path == "/elsewhere") {
      answer.status = 307;
      answer.headers.emplace_back("Location", "file:///etc/passwd");
    } else if (path == "/long") {
      answer.body.assign(100'000, 'x');
    } else if (path == "/refused-at-length") {
      answer.status = 500;
      answer.body.assign(300'000, 'x');
    } else {
      answer.status = 404;
    }
    return answer;
  }
  std::vector<std::string> asked;

 private:
  std::mutex mutex_;
};

class FetchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "fetch_XXXXXX";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    HttpServer::Options options;
    options.listen = {"127.0.0.1:0"};
    auto server = HttpServer::start(options, files_);
    ASSERT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
  }
  void TearDown() override {
    server_.reset();
    fs::remove_all(folder_);
  }
  FetchOrder order(const std::string& path) const {
    return {"11111111-aaaa-4aaa-8aaa-111111111111", "http://" + server_->endpoints().front() + path,
            "", 50'000, ""};
  }
  FetchResult run(const FetchOrder& order) const {
    FetchSettings settings;
    settings.folder = folder_;
    return fetch(order, settings, [] { return false; });
  }
  std::size_t files_left() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  std::string folder_;
  Files files_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(FetchTest, a_file_comes_with_its_hash_its_tag_and_its_signature) {
  const FetchResult got = run(order("/signed"));
  EXPECT_EQ(got.state, "fetched") << got.reason;
  EXPECT_EQ(got.sha256, kHelloHash);
  EXPECT_EQ(got.etag, "\"v1\"");
  EXPECT_EQ(got.bytes, 5U);
  EXPECT_EQ(got.path, folder_ + "/11111111-aaaa-4aaa-8aaa-111111111111");
  EXPECT_EQ(got.signature_path, folder_ + "/11111111-aaaa-4aaa-8aaa-111111111111.minisig");
  EXPECT_EQ(files_left(), 2U);
  const FetchResult bare = run(order("/hello"));
  EXPECT_EQ(bare.state, "fetched") << bare.reason;
  EXPECT_EQ(bare.signature_path, "");
}

TEST_F(FetchTest, what_has_not_changed_does_not_come_again) {
  FetchOrder known = order("/hello");
  known.etag = "\"v1\"";
  const FetchResult got = run(known);
  EXPECT_EQ(got.state, "unchanged") << got.reason;
  EXPECT_EQ(files_left(), 0U);
  known.etag = "\"v0\"";
  EXPECT_EQ(run(known).state, "fetched");
}

TEST_F(FetchTest, redirections_are_followed_so_far_and_to_http_alone) {
  EXPECT_EQ(run(order("/moved/once")).state, "fetched");
  EXPECT_NE(run(order("/round")).reason.find("more than 5 redirections"), std::string::npos);
  EXPECT_NE(run(order("/elsewhere")).reason.find("no http:// or https://"), std::string::npos);
}

TEST_F(FetchTest, sizes_are_held_while_it_comes) {
  EXPECT_NE(run(order("/long")).reason.find("longer than"), std::string::npos);
  EXPECT_NE(run(order("/refused-at-length")).reason.find("longer than"), std::string::npos);
  EXPECT_EQ(files_left(), 0U);
}

TEST_F(FetchTest, another_hash_and_a_missing_file_are_failures_that_leave_nothing) {
  FetchOrder wanted = order("/hello");
  wanted.sha256 = std::string(64, 'a');
  EXPECT_NE(run(wanted).reason.find(kHelloHash), std::string::npos);
  EXPECT_NE(run(order("/none?key=secret")).reason.find("/none answers with status 404"),
            std::string::npos);
  EXPECT_EQ(run(order("/none?key=secret")).reason.find("secret"), std::string::npos);
  FetchOrder outside = order("/hello");
  outside.uuid = "../../etc/x";
  EXPECT_EQ(run(outside).state, "failed");
  EXPECT_EQ(files_left(), 0U);
}

TEST_F(FetchTest, a_queue_carries_out_every_order_once_and_keeps_to_its_room) {
  FetchQueue queue({folder_, 200'000, 2, 3});
  ASSERT_TRUE(queue.open());
  FetchOrder first = order("/hello");
  first.uuid = uuid(1);
  FetchOrder second = order("/none");
  second.uuid = uuid(2);
  FetchOrder third = order("/hello");
  third.uuid = uuid(3);
  FetchOrder fourth = order("/hello");
  fourth.uuid = uuid(4);
  for (const FetchOrder& one : {first, first, second, third, fourth})
    queue.add(one);
  std::map<std::string, std::string> states;
  const auto collect = [&](std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (states.size() < count && std::chrono::steady_clock::now() < until) {
      for (const auto& done : queue.take_done())
        states[done.result.uuid] = done.result.state;
      std::this_thread::yield();
    }
  };
  collect(1);
  EXPECT_EQ(states[uuid(4)], "failed");  // three wait already
  queue.start({}, [] {});
  collect(4);
  EXPECT_EQ(
      states,
      (std::map<std::string, std::string>{
          {uuid(1), "fetched"}, {uuid(2), "failed"}, {uuid(3), "fetched"}, {uuid(4), "failed"}}));
  EXPECT_EQ(files_left(), 2U);
  queue.tidy(std::chrono::steady_clock::now() + std::chrono::minutes{11});
  EXPECT_EQ(files_left(), 0U);
}

TEST(FetchUrl, takes_addresses_of_files_and_nothing_else) {
  EXPECT_EQ(parse_fetch_url("HTTPS://Example.org:8443/a/b?c#d")->to_string(),
            "https://example.org:8443/a/b?c");
  EXPECT_EQ(parse_fetch_url("http://example.org")->target, "/");
  EXPECT_EQ(parse_fetch_url("http://[::1]:80/x")->server, "http://[::1]:80");
  for (const char* bad : {"", "http://", "unix:/run/x", "ftp://a/b", "http://a b/", "http://u:p@a/",
                          "//a/b", "http:/a", "http://a/\n"}) {
    EXPECT_FALSE(parse_fetch_url(bad)) << bad;
  }
}

TEST(FetchUrl, follows_every_form_of_a_location) {
  const auto base = *parse_fetch_url("https://a.org/x/y?z");
  EXPECT_EQ(follow_location(base, "http://b.org/q")->to_string(), "http://b.org/q");
  EXPECT_EQ(follow_location(base, "//b.org/q")->to_string(), "https://b.org/q");
  EXPECT_EQ(follow_location(base, "/q?a=http://c")->to_string(), "https://a.org/q?a=http://c");
  EXPECT_EQ(follow_location(base, "q")->to_string(), "https://a.org/x/q");
  EXPECT_EQ(follow_location(base, "?q")->to_string(), "https://a.org/x/y?q");
  EXPECT_FALSE(follow_location(base, ""));
  EXPECT_FALSE(follow_location(base, "javascript:alert(1)"));
}

}  // namespace
}  // namespace beaconry
