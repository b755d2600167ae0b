// kill -9 of the server between its journal, its database and its alert queue: every event of an
// instrument is there once, every alert of one is made once, every relayed flow counts once.
#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <set>
#include <thread>

#include "faults/child.h"
#include "faults/server.h"
#include "spool/spool.h"
#include "uplink/instrument_event_batch.h"
#include "uplink/relayed_batch.h"
#include "uplink/sender.h"

namespace beaconry::faults {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

const std::string kSensor(64, 'd');

std::string uuid(std::uint64_t n) {
  char text[40];
  std::snprintf(text, sizeof text, "00000000-0000-4000-8000-%012llx",
                static_cast<unsigned long long>(n));
  return text;
}

// A sensor: two spools, each with the real sender.
class Sensor {
 public:
  Sensor(const std::string& folder, const std::string& url)
      : told_(open(folder + "/told")), relayed_(open(folder + "/relayed")) {
    events_ = start(url, ContentKind::instrument_events, *told_);
    batches_ = start(url, ContentKind::relayed, *relayed_);
  }

  void tell(std::mt19937& random, unsigned events) {
    InstrumentEventBatch batch;
    batch.made = now();
    for (unsigned i = 0; i < events; ++i) {
      InstrumentEvent event;
      event.instance = "beacon_0";
      // Now and then one comes again, as after a crash of the sensor.
      event.uuid = uuid(count_ > 0 && random() % 10 == 0 ? 1 + random() % count_ : ++count_);
      event.time = now();
      event.type = count_ % 20 == 1 ? "instruments.beacon.ev.alert" : "instruments.beacon.ev.ping";
      if (event.type.ends_with("alert") && event.uuid == uuid(count_)) alerts_.insert(event.uuid);
      batch.events.push_back(event);
    }
    ASSERT_TRUE(told_->append(encode_instrument_events(batch), now()));
    events_->wake();
  }
  // What the instrument hands in twice counts once.
  void relay(std::mt19937& random) {
    if (random() % 5 != 0 || inner_ == 0) ++inner_;
    FlowBatchBuilder builder;
    FlowEvent event;
    event.pair = *PairKey::parse("10.0.0.5->203.0.113.9:443/TCP");
    event.time = now();
    builder.add(event);
    Envelope inner;
    inner.edge = std::string(64, 'e');
    inner.edge_name = "inside";
    inner.incarnation = std::string(32, '1');
    inner.sequence = inner_;
    inner.sent = now();
    inner.content = builder.finish(now(), {});
    ASSERT_TRUE(
        relayed_->append(encode_relayed({"detector_0", now(), encode_envelope(inner)}), now()));
    batches_->wake();
  }
  bool is_drained() const {
    return told_->first() == told_->next() && relayed_->first() == relayed_->next();
  }
  std::uint64_t refused() const { return events_->status().refused + batches_->status().refused; }
  std::uint64_t events() const { return count_; }
  std::uint64_t batches() const { return inner_; }
  const std::set<std::string>& alerts() const { return alerts_; }

 private:
  static std::unique_ptr<Spool> open(const std::string& folder) {
    Spool::Options options;
    options.folder = folder;
    return std::move(Spool::open(options).value());
  }
  static std::unique_ptr<Sender> start(const std::string& url, ContentKind kind, Spool& spool) {
    Sender::Options sender;
    sender.server.url = url;
    sender.server.use_proxy = false;
    sender.edge = kSensor;
    sender.edge_name = "sensor001";
    sender.content_kind = kind;
    sender.first_pause = milliseconds{20};
    sender.longest_pause = milliseconds{100};
    return std::move(Sender::start(sender, spool, now).value());
  }

  std::unique_ptr<Spool> told_, relayed_;
  std::unique_ptr<Sender> events_, batches_;  // end before their spools
  std::uint64_t count_ = 0, inner_ = 0;
  std::set<std::string> alerts_;
};

Json edge_named(Server& server, const std::string& name) {
  for (const Json& edge : server.edges())
    if (edge["name"] == name) return edge;
  return Json::object();
}

void expect_exactly(Server& server, const Sensor& sensor) {
  std::set<std::string> uuids;
  std::string cursor;
  do {
    const Json page = server.get("/api/v1/instrument-events?limit=10000" +
                                 (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const Json& event : page["events"])
      EXPECT_TRUE(uuids.insert(event["uuid"]).second) << event.dump();
    cursor = page["next_cursor"].is_string() ? page["next_cursor"].get<std::string>() : "";
  } while (!cursor.empty());
  EXPECT_EQ(uuids.size(), sensor.events());
  EXPECT_EQ(edge_named(server, "detector_0@sensor001")["state"], "relayed");
  // One flow a batch.
  const std::string metrics = server.send("GET", "/api/v1/metrics").body;
  const std::string name = "name=\"detector_0@sensor001\"} ";
  const auto at = metrics.find(name, metrics.find("beaconry_edge_events_total{"));
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(std::stoull(metrics.substr(at + name.size())), sensor.batches());
}

TEST(CrashesOfTheServer, LoseAndDoubleNoEventOfAnInstrument) {
  const Folder folder;
  std::mt19937 random(crash_seed());
  Server server(folder.path());
  server.start();
  Sensor sensor(folder / "spool", server.url());
  for (unsigned point = 0; point < crash_points() && !HasFatalFailure(); ++point) {
    const bool early = point % 4 == 3;  // while it reads its journal
    if (point > 0) early ? server.begin() : server.start();
    const auto until = steady_clock::now() + milliseconds{random() % 150};
    while (steady_clock::now() < until) {
      sensor.tell(random, 1 + static_cast<unsigned>(random() % 20));
      sensor.relay(random);
      std::this_thread::sleep_for(milliseconds{random() % 4});
    }
    server.crash();
  }
  server.start();
  ASSERT_TRUE(wait_for([&] { return sensor.is_drained(); })) << end_of(server.log());
  EXPECT_EQ(sensor.refused(), 0U);
  const std::uint64_t most_alerts = 100;  // within an hour, of one type and instance
  const std::uint64_t alerts = std::min<std::uint64_t>(sensor.alerts().size(), most_alerts);
  // Alerts that a crash left in the database come with the next tick.
  ASSERT_TRUE(wait_for([&] {
    return server.get("/api/v1/alerts?kind=instruments.beacon.ev.alert")["total"] == alerts;
  })) << end_of(server.log());
  {
    SCOPED_TRACE("after the last crash");
    expect_exactly(server, sensor);
  }
  server.end();
  server.start();
  SCOPED_TRACE("after a restart");
  expect_exactly(server, sensor);
  std::printf("%u crashes, %llu events, %zu alerts, %llu relayed batches\n", crash_points(),
              static_cast<unsigned long long>(sensor.events()), sensor.alerts().size(),
              static_cast<unsigned long long>(sensor.batches()));
}

}  // namespace
}  // namespace beaconry::faults
