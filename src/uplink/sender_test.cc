#include "uplink/sender.h"

#include <fstream>
#include <mutex>

#include "http/test_support.h"
#include "spool/test_folder.h"
#include "uplink/flow_batch.h"

namespace beaconry {
namespace {

constexpr const char* kAccepted = R"({"status":"accepted"})";
constexpr Timestamp kNow{std::chrono::seconds{1'780'000'000}};

class SenderTest : public testing::Test {
 protected:
  SenderTest() {
    Spool::Options options;
    options.folder = folder_.spool();
    options.segment_bytes = 4096;
    spool_ = open_spool(options);
    options_.server.url = "unix:" + socket();
    options_.server.use_proxy = false;
    options_.edge = std::string(64, 'e');
    options_.edge_name = "tap";
    options_.refused_folder = folder_.path() + "/refused";
    options_.first_pause = std::chrono::milliseconds{5};
    options_.longest_pause = std::chrono::milliseconds{20};
  }

  std::string socket() const { return folder_.path() + "/s"; }
  // What comes is kept in `got_`, then answered as `answer` says.
  std::unique_ptr<TestServer> serve(std::function<HttpResponse(const Envelope&)> answer) {
    HttpServer::Options options;
    options.listen = {"unix:" + socket()};
    auto server = std::make_unique<TestServer>(options);
    server->handler.on_handle = [this, answer](const HttpRequest& request) {
      EXPECT_EQ(request.method, "POST");
      EXPECT_EQ(request.path(), "/api/v1/telemetry");
      EXPECT_EQ(request.header("content-type"), "application/x-protobuf");
      const std::lock_guard lock(mutex_);
      authorization_ = request.header("authorization");
      const auto envelope = decode_envelope(request.body);
      EXPECT_TRUE(envelope);
      if (!envelope) return status(400);
      got_.push_back(*envelope);
      return answer(*envelope);
    };
    return server;
  }
  static HttpResponse status(int code, std::string body = kAccepted, HttpHeaders headers = {}) {
    HttpResponse response;
    response.status = code;
    response.body = std::move(body);
    response.headers = std::move(headers);
    return response;
  }
  std::unique_ptr<Sender> start() {
    auto sender = Sender::start(options_, *spool_, [] { return kNow; });
    EXPECT_TRUE(sender) << sender.error().message();
    return std::move(*sender);
  }
  bool drained() {
    return wait_for([this] { return spool_->first() == spool_->next(); });
  }
  std::vector<std::uint64_t> sequences() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint64_t> all;
    for (const Envelope& envelope : got_)
      all.push_back(envelope.sequence);
    return all;
  }

  TestFolder folder_;
  std::unique_ptr<Spool> spool_;
  Sender::Options options_;
  mutable std::mutex mutex_;
  std::vector<Envelope> got_;
  std::string authorization_;
};

using Sequences = std::vector<std::uint64_t>;

TEST_F(SenderTest, SendsWhatWaitsAndWhatComesInOrder) {
  options_.token = "secret";
  put(*spool_, "one");
  put(*spool_, "two");
  const auto server = serve([](const Envelope&) { return status(200); });
  const auto sender = start();
  ASSERT_TRUE(drained());
  put(*spool_, "three");
  sender->wake();
  ASSERT_TRUE(drained());
  ASSERT_TRUE(wait_for([&] { return sender->status().sent == 3 && sender->status().connected; }));
  EXPECT_EQ(sequences(), (Sequences{1, 2, 3}));
  EXPECT_EQ(got_[2].content, "three");
  EXPECT_EQ(got_[2].edge, options_.edge);
  EXPECT_EQ(got_[2].edge_name, "tap");
  EXPECT_EQ(got_[2].incarnation, spool_->incarnation());
  EXPECT_EQ(got_[2].sent, kNow);
  EXPECT_EQ(authorization_, "Bearer secret");
  EXPECT_EQ(sender->status().last_success, kNow);
}

TEST_F(SenderTest, WaitsForAServerThatIsAway) {
  put(*spool_, "one");
  const auto sender = start();
  ASSERT_TRUE(wait_for([&] { return sender->status().retries >= 3; }));
  EXPECT_FALSE(sender->status().connected);
  EXPECT_NE(sender->status().last_error.find("no such socket"), std::string::npos)
      << sender->status().last_error;
  put(*spool_, "two");
  sender->wake();
  const auto server = serve([](const Envelope&) { return status(202); });
  ASSERT_TRUE(drained());
  EXPECT_EQ(sequences(), (Sequences{1, 2}));
  ASSERT_TRUE(wait_for([&] { return sender->status().connected; }));
  EXPECT_EQ(sender->status().last_error, "");
}

TEST_F(SenderTest, TriesAgainWhatTheServerCannotTakeNow) {
  const int codes[] = {429, 503, 507, 500, 404, 200};
  put(*spool_, "one");
  std::size_t at = 0;
  const auto server = serve([&](const Envelope&) { return status(codes[at++]); });
  const auto sender = start();
  ASSERT_TRUE(drained());
  EXPECT_EQ(sequences(), (Sequences{1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(sender->status().retries, 5U);
  EXPECT_EQ(sender->status().refused, 0U);
}

TEST_F(SenderTest, TakesNoOtherPageForAnAcknowledgement) {
  const char* const pages[] = {"<html>Log in</html>", "", R"({"status":"ok"})", "[]",
                               R"({"status":"accepted","duplicate":true})"};
  put(*spool_, "one");
  std::size_t at = 0;
  const auto server = serve([&](const Envelope&) { return status(200, pages[at++]); });
  const auto sender = start();
  ASSERT_TRUE(drained());
  EXPECT_EQ(sequences(), (Sequences{1, 1, 1, 1, 1}));
  ASSERT_TRUE(wait_for([&] { return sender->status().sent == 1; }));
  EXPECT_EQ(sender->status().retries, 4U);
}

TEST_F(SenderTest, WaitsAsLongAsTheServerAsks) {
  put(*spool_, "one");
  std::vector<std::chrono::steady_clock::time_point> times;
  const auto server = serve([&](const Envelope&) {
    times.push_back(std::chrono::steady_clock::now());
    return times.size() == 1 ? status(503, kAccepted, {{"retry-after", "1"}}) : status(200);
  });
  const auto sender = start();
  ASSERT_TRUE(drained());
  ASSERT_EQ(times.size(), 2U);
  EXPECT_GE(times[1] - times[0], std::chrono::milliseconds{990});
}

TEST_F(SenderTest, KeepsBatchesWhileItIsNotLetIn) {
  put(*spool_, "one");
  std::atomic<bool> is_enrolled = false;
  const auto server = serve([&](const Envelope&) {
    return is_enrolled ? status(200) : status(403, R"({"error":"this edge is not enrolled"})");
  });
  const auto sender = start();
  ASSERT_TRUE(wait_for([&] { return sender->status().retries >= 2; }));
  EXPECT_EQ(spool_->first(), 1U);
  EXPECT_NE(sender->status().last_error.find("status 403: this edge is not enrolled"),
            std::string::npos);
  is_enrolled = true;
  ASSERT_TRUE(drained());
}

TEST_F(SenderTest, SetsAsideWhatTheServerRefusesAndGoesOn) {
  for (int i = 0; i < 4; ++i)
    put(*spool_, std::string(1000, static_cast<char>('a' + i)));
  options_.most_refused_bytes = 2500;
  const int codes[] = {400, 422, 200, 413};
  const auto server = serve([&](const Envelope& e) { return status(codes[e.sequence - 1]); });
  const auto sender = start();
  ASSERT_TRUE(drained());
  EXPECT_EQ(sequences(), (Sequences{1, 2, 3, 4}));
  ASSERT_TRUE(wait_for([&] { return sender->status().refused == 3; }));
  EXPECT_EQ(sender->status().sent, 1U);
  std::vector<std::string> kept;
  for (const auto& entry : std::filesystem::directory_iterator(options_.refused_folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    kept.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  std::sort(kept.begin(), kept.end());
  EXPECT_EQ(kept, (std::vector{std::string(1000, 'b'), std::string(1000, 'd')}));
}

TEST_F(SenderTest, TellsHowManyBatchesWereDropped) {
  Spool::Options small;
  small.folder = folder_.path() + "/small";
  small.most_bytes = 2000;
  spool_ = open_spool(small);
  for (int i = 0; i < 20; ++i)
    put(*spool_, std::string(300, 'x'));
  const std::uint64_t dropped = spool_->dropped();
  ASSERT_GT(dropped, 0U);
  const auto server = serve([](const Envelope&) { return status(200); });
  const auto sender = start();
  ASSERT_TRUE(drained());
  EXPECT_EQ(got_.at(0).sequence, dropped + 1);
  EXPECT_EQ(got_.at(0).batches_dropped, dropped);
}

TEST_F(SenderTest, MeasuresTheClocksDifference) {
  put(*spool_, "one");
  const std::string theirs = to_rfc3339(kNow + std::chrono::seconds{90});
  const auto server = serve([&](const Envelope&) {
    return status(200, R"({"status":"accepted","server_time":")" + theirs + "\"}");
  });
  const auto sender = start();
  ASSERT_TRUE(drained());
  EXPECT_EQ(sender->status().clock_skew, std::chrono::seconds{90});
}

// A server of few words: reads one whole request a connection, writes what it is told and closes.
class Blunt {
 public:
  explicit Blunt(const std::string& path) {
    Endpoint at;
    at.unix_path = path;
    auto listening = listen_at(at);
    EXPECT_TRUE(listening) << listening.error().message();
    if (listening) listener_ = std::move(*listening);
  }
  // The request's body; empty if there was none.
  std::string answer(std::string_view with) {
    wait(listener_.get());
    HttpPeer peer;
    connection_ = accept_from(listener_.get(), peer);
    if (!connection_) return {};
    std::string in;
    for (;;) {
      const auto head = in.find("\r\n\r\n");
      const auto length = in.find("Content-Length: ");
      if (head != std::string::npos && length < head &&
          in.size() >= head + 4 + std::stoul(in.substr(length + 16))) {
        break;
      }
      if (!wait(connection_.get())) return {};
      char bytes[4096];
      const ssize_t got = ::read(connection_.get(), bytes, sizeof bytes);
      if (got <= 0) return {};
      in.append(bytes, static_cast<std::size_t>(got));
    }
    EXPECT_EQ(::write(connection_.get(), with.data(), with.size()),
              static_cast<ssize_t>(with.size()));
    return in.substr(in.find("\r\n\r\n") + 4);
  }
  void close() { connection_.reset(); }

 private:
  static bool wait(int descriptor) {
    pollfd waits{descriptor, POLLIN, 0};
    return ::poll(&waits, 1, 30'000) == 1;
  }
  Fd listener_, connection_;
};

TEST_F(SenderTest, SendsTheSameBatchAgainWhenItsAnswerWasLost) {
  put(*spool_, "one");
  Blunt server(socket());
  const auto sender = start();
  const auto first =
      decode_envelope(server.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"));
  server.close();  // accepted, but the edge cannot know
  const auto second = decode_envelope(
      server.answer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n") + kAccepted));
  server.close();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->sequence, first->sequence);
  EXPECT_EQ(second->incarnation, first->incarnation);
  EXPECT_EQ(second->edge, first->edge);
  EXPECT_EQ(second->content, first->content);
  EXPECT_TRUE(drained());
}

TEST_F(SenderTest, StopsWhileTheServerSaysNothing) {
  put(*spool_, "one");
  Blunt server(socket());
  auto sender = start();
  EXPECT_NE(server.answer(""), "");
  const auto begin = std::chrono::steady_clock::now();
  sender.reset();
  // Far less than what it would have waited for an answer.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, options_.server.timeout / 2);
  EXPECT_EQ(spool_->first(), 1U);
}

}  // namespace
}  // namespace beaconry
