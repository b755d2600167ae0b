#include "sensor/services/relay.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>

#include "http/client.h"
#include "sensor/services/catch_up.h"
#include "sensor/services/test_folder.h"
#include "uplink/answer.h"
#include "uplink/flow_batch.h"
#include "uplink/relayed_batch.h"

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::hours{24 * 365 * 50}};

// As a collector sends it.
std::string batch(const std::string& content = "flows", ContentKind kind = ContentKind::flows) {
  Envelope envelope;
  envelope.edge = std::string(64, 'a');
  envelope.edge_name = "collector";
  envelope.incarnation = std::string(32, 'b');
  envelope.sequence = 1;
  envelope.sent = kNow;
  envelope.content = content;
  envelope.content_kind = kind;
  return encode_envelope(envelope);
}

std::string noise(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes)
    text += std::to_string(text.size() * 2654435761U);
  return text;
}

struct Place {
  explicit Place(std::uint64_t most_bytes = 64 << 20, std::uint64_t shared_bytes = 0)
      : most(most_bytes), shared(shared_bytes) {
    open();
  }
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
        *spool, shared, [] { return kNow; }, [this] { ++stored; });
    const auto listens = relay->open("detector_0", folder.path());
    ASSERT_TRUE(listens) << listens.error().message();
  }
  HttpResponse send(const std::string& method, const std::string& target, std::string body = "",
                    const std::string& below = "") {
    HttpClient::Options options;
    options.url = "unix:" + folder.path() + below + "/uplink.sock";
    auto client = HttpClient::make(options);
    EXPECT_TRUE(client);
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = std::move(body);
    auto answer = (*client)->send(request);
    EXPECT_TRUE(answer) << answer.error().message();
    return answer ? *answer : HttpResponse{0, "", {}, "", nullptr, nullptr};
  }
  TestFolder folder;
  std::uint64_t most, shared;
  std::unique_ptr<Spool> spool;
  std::unique_ptr<Relay> relay;
  std::atomic<int> stored{0};
};

TEST(Relay, TakesABatchUnopenedAndAnswersAsAServerOnceItIsOnDisk) {
  Place p;
  const auto answer = p.send("POST", "/api/v1/telemetry", batch("anything at all"));
  EXPECT_TRUE(says_accepted(answer));
  EXPECT_EQ(server_time(answer), kNow);
  EXPECT_EQ(p.stored, 1);
  p.open();  // another process
  const auto record = p.spool->read(1);
  ASSERT_TRUE(record && *record);
  const auto relayed = decode_relayed((*record)->bytes, 1 << 20);
  ASSERT_TRUE(relayed) << relayed.error().message();
  EXPECT_EQ(relayed->instance, "detector_0");
  EXPECT_EQ(relayed->taken, kNow);
  EXPECT_EQ(relayed->envelope, batch("anything at all"));
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
  int status = 200;
  std::uint64_t taken = 0;
  for (int n = 0; n < 100 && status == 200; ++n) {
    const auto answer = p.send("POST", "/api/v1/telemetry", batch(noise(20'000)));
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

TEST(Relay, NoneHasMoreThanItsShareWaitingAndTheOthersGoOn) {
  Place p(1 << 20, 1 << 20);
  std::filesystem::create_directories(p.folder.path() + "/other");
  ASSERT_TRUE(p.relay->open("other_0", p.folder.path() + "/other"));
  const std::string body = batch(noise(100'000));
  const auto send = [&](const std::string& below) {
    return p.send("POST", "/api/v1/telemetry", body, below);
  };
  std::uint64_t taken = 0;
  for (int n = 0; n < 10 && send("").status == 200; ++n)
    ++taken;
  EXPECT_GT(taken, 0U);
  EXPECT_LE(p.relay->counters("detector_0").waiting, (1U << 20) / 3);
  const auto answer = send("");
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(retry_after(answer));
  EXPECT_EQ(p.relay->take_past_share(), std::vector<std::string>{"detector_0"});
  EXPECT_TRUE(p.relay->take_past_share().empty());
  EXPECT_EQ(send("/other").status, 200);
  // Another process knows what waits of whom.
  p.open();
  ASSERT_TRUE(p.relay->open("other_0", p.folder.path() + "/other"));
  EXPECT_EQ(send("").status, 503);
  EXPECT_EQ(send("/other").status, 200);
  // What the server has counts no more.
  p.spool->release(p.spool->next() - 1);
  EXPECT_EQ(p.relay->counters("detector_0").waiting, 0U);
  EXPECT_EQ(send("").status, 200);
}

// A disk with a place that cannot be read.
class PatchySpool final : public Spool {
 public:
  Result<std::uint64_t> append(std::string_view record, Timestamp) override {
    records_.emplace_back(record);
    return records_.size();
  }
  Result<void> sync(std::uint64_t) override { return {}; }
  Result<std::optional<Record>> read(std::uint64_t sequence) override {
    if (sequence == 2) return fail(ErrorKind::io, "read", "segment", "input/output error");
    return std::optional<Record>(Record{sequence, kNow, records_[sequence - 1]});
  }
  void release(std::uint64_t) override {}
  void release_before(Timestamp) override {}
  std::uint64_t first() const override { return 1; }
  std::uint64_t next() const override { return records_.size() + 1; }
  std::uint64_t bytes() const override { return 0; }
  std::uint64_t dropped() const override { return 0; }
  std::uint64_t damaged() const override { return 0; }
  const std::string& incarnation() const override { return incarnation_; }

 private:
  std::vector<std::string> records_;
  std::string incarnation_;
};

TEST(Relay, WhatWaitsIsCountedAlsoBehindDamage) {
  PatchySpool spool;
  const std::string record = encode_relayed({"detector_0", kNow, batch(noise(100'000))});
  for (int n = 0; n < 3; ++n)
    ASSERT_TRUE(spool.append(record, kNow));
  EXPECT_EQ(RelayShares(spool, 1 << 20).waiting("detector_0"), 2 * record.size());
}

TEST(CatchUp, LastsFromTheServersAbsenceUntilTheShareHasRoomAgain) {
  CatchUp one;
  one.see(true, 100, 100, kNow);
  EXPECT_FALSE(one.lasts(kNow));  // full by itself: that is a flood
  one.see(false, 60, 100, kNow);
  one.see(true, 100, 100, kNow + std::chrono::seconds{1});
  EXPECT_TRUE(one.lasts(kNow + std::chrono::seconds{1}));  // the server is back
  EXPECT_FALSE(one.lasts(kNow + CatchUp::kLongest));
  one.see(true, 50, 100, kNow + std::chrono::seconds{2});
  one.see(true, 100, 100, kNow + std::chrono::seconds{3});
  EXPECT_FALSE(one.lasts(kNow + std::chrono::seconds{3}));
}

TEST(Relay, OneBatchOfAnInstanceAlwaysHasItsPlace) {
  Place p(1 << 20, 1 << 20);
  const std::string body = batch(noise(700'000));
  EXPECT_EQ(p.send("POST", "/api/v1/telemetry", body).status, 200);
  EXPECT_EQ(p.send("POST", "/api/v1/telemetry", body).status, 503);
}

TEST(Relay, TakesOnlyWhatACollectorSends) {
  Place p;
  const auto status = [&](const std::string& body) {
    return p.send("POST", "/api/v1/telemetry", body).status;
  };
  EXPECT_EQ(status("anything at all"), 400);
  for (const ContentKind kind :
       {ContentKind::observations, ContentKind::instrument_events, ContentKind::relayed}) {
    EXPECT_EQ(status(batch("x", kind)), 400);
  }
  EXPECT_EQ(status(batch(std::string(33 << 20, 'x'))), 413);
  EXPECT_EQ(p.relay->counters("detector_0").refused, 4U);  // the last was not read at all
  EXPECT_EQ(p.spool->next(), 1U);
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
