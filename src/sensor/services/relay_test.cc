#include "sensor/services/relay.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>

#include "http/client.h"
#include "sensor/services/test_folder.h"
#include "uplink/answer.h"
#include "uplink/relayed_batch.h"

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::hours{24 * 365 * 50}};

struct Place {
  explicit Place(std::uint64_t most_bytes = 64 << 20) : most(most_bytes) { open(); }
  void open() {
    relay.reset();
    spool.reset();
    Spool::Options options;
    options.folder = folder.path() + "/relayed";
    options.most_bytes = most;
    options.segment_bytes = std::min<std::uint64_t>(most / 2, 8 << 20);
    options.when_full = Spool::WhenFull::refuse;
    auto opened = Spool::open(options);
    ASSERT_TRUE(opened) << opened.error().message();
    spool = std::move(*opened);
    relay = std::make_unique<Relay>(
        *spool, [] { return kNow; }, [this] { ++stored; });
    const auto listens = relay->open("detector_0", folder.path());
    ASSERT_TRUE(listens) << listens.error().message();
  }
  HttpResponse send(const std::string& method, const std::string& target, std::string body = "") {
    HttpClient::Options options;
    options.url = "unix:" + folder.path() + "/uplink.sock";
    auto client = HttpClient::make(options);
    EXPECT_TRUE(client);
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = std::move(body);
    auto answer = (*client)->send(request);
    EXPECT_TRUE(answer) << answer.error().message();
    return answer ? *answer : HttpResponse{0, "", {}, "", nullptr};
  }
  TestFolder folder;
  std::uint64_t most;
  std::unique_ptr<Spool> spool;
  std::unique_ptr<Relay> relay;
  std::atomic<int> stored{0};
};

TEST(Relay, TakesABatchUnopenedAndAnswersAsAServerOnceItIsOnDisk) {
  Place p;
  const auto answer = p.send("POST", "/api/v1/telemetry", "anything at all");
  EXPECT_TRUE(says_accepted(answer));
  EXPECT_EQ(server_time(answer), kNow);
  EXPECT_EQ(p.stored, 1);
  p.open();  // another process
  const auto record = p.spool->read(1);
  ASSERT_TRUE(record && *record);
  const auto batch = decode_relayed((*record)->bytes, 1 << 20);
  ASSERT_TRUE(batch) << batch.error().message();
  EXPECT_EQ(batch->instance, "detector_0");
  EXPECT_EQ(batch->taken, kNow);
  EXPECT_EQ(batch->envelope, "anything at all");
}

TEST(Relay, IsOpenForTheInstrumentsUserAndClosedWithIt) {
  Place p;
  struct stat of {};
  ASSERT_EQ(::stat((p.folder.path() + "/uplink.sock").c_str(), &of), 0);
  EXPECT_EQ(of.st_mode & 0777U, 0666U);
  EXPECT_EQ(p.send("GET", "/healthz").status, 200);
  p.relay->close("detector_0");
  HttpClient::Options options;
  options.url = "unix:" + p.folder.path() + "/uplink.sock";
  auto client = HttpClient::make(options);
  ASSERT_TRUE(client);
  EXPECT_FALSE((*client)->send({}));
}

TEST(Relay, AFullSpoolLeavesTheBatchWithItsInstrument) {
  Place p(64 << 10);
  std::string batch;
  while (batch.size() < 20'000)
    batch += std::to_string(batch.size() * 2654435761U);
  int status = 200;
  std::uint64_t taken = 0;
  for (int n = 0; n < 100 && status == 200; ++n) {
    const auto answer = p.send("POST", "/api/v1/telemetry", batch);
    status = answer.status;
    if (status == 200)
      ++taken;
    else
      EXPECT_TRUE(retry_after(answer));
  }
  EXPECT_EQ(status, 507);
  EXPECT_EQ(p.spool->next(), taken + 1);
  EXPECT_EQ(p.relay->counters("detector_0").taken, taken);
  EXPECT_EQ(p.relay->counters("detector_0").refused, 1U);
}

TEST(Relay, RefusesAllElse) {
  Place p;
  EXPECT_EQ(p.send("POST", "/api/v1/enroll", "{}").status, 404);
  EXPECT_EQ(p.send("GET", "/api/v1/telemetry").status, 405);
  EXPECT_EQ(p.send("POST", "/api/v1/telemetry").status, 400);
  EXPECT_EQ(p.spool->next(), 1U);
}

}  // namespace
}  // namespace beaconry
