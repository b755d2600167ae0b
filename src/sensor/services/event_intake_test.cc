#include "sensor/services/event_intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "sensor/services/recent_events.h"
#include "sensor/services/test_folder.h"
#include "uplink/instrument_event_batch.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Timestamp kStart{std::chrono::hours{24 * 365 * 50}};

Event event(const std::string& type = "instruments.beacon.ev.alert") {
  Event one;
  one.uuid = make_uuid();
  one.timestamp = kStart;
  one.type = type;
  one.message = "a leak";
  one.data_json = R"({"path":"dns"})";
  return one;
}

// An intake over a spool on disk, with a source beacon_0 of 10 events a second.
struct Intake {
  explicit Intake(std::uint64_t most_bytes = 64 << 20) : most(most_bytes) { open(); }
  void open() {
    intake.reset();
    spool.reset();
    Spool::Options options;
    options.folder = folder.path() + "/spool";
    options.most_bytes = most;
    options.when_full = Spool::WhenFull::refuse;
    options.segment_bytes = std::min<std::uint64_t>(most / 2, 8 << 20);
    auto opened = Spool::open(options);
    ASSERT_TRUE(opened) << opened.error().message();
    spool = std::move(*opened);
    intake = std::make_unique<EventIntake>(*spool, folder.path() + "/recent");
    intake->open();
    Manifest manifest;
    manifest.name = "beacon";
    manifest.event_types = {"alert"};
    manifest.limits.events_per_second = 10;
    intake->set_source("beacon_0", manifest);
  }
  std::vector<InstrumentEvent> on_disk() {
    std::vector<InstrumentEvent> events;
    for (std::uint64_t at = 1; at < spool->next(); ++at) {
      const auto record = spool->read(at);
      if (!record || !*record) break;
      const auto batch = decode_instrument_events((*record)->bytes, {});
      EXPECT_TRUE(batch) << batch.error().message();
      if (!batch) break;
      events.insert(events.end(), batch->events.begin(), batch->events.end());
    }
    return events;
  }
  EventIntake::Outcome commit() { return intake->commit(now, now); }

  TestFolder folder;
  std::uint64_t most;
  std::unique_ptr<Spool> spool;
  std::unique_ptr<EventIntake> intake;
  Timestamp now = kStart;
};

TEST(EventIntake, StoresAllOfARoundAsOneRecordAndThenAcknowledges) {
  Intake i;
  const Event first = event(), second = event();
  i.intake->offer("beacon_0", first, i.now);
  i.intake->offer("beacon_0", second, i.now);
  EXPECT_EQ(i.spool->next(), 1U);  // nothing before the commit
  const auto outcome = i.commit();
  EXPECT_THAT(outcome.acknowledged.at("beacon_0"), ElementsAre(first.uuid, second.uuid));
  EXPECT_EQ(outcome.stored.size(), 2U);
  EXPECT_EQ(i.spool->next(), 2U);
  const auto stored = i.on_disk();
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_EQ(stored[0].instance, "beacon_0");
  EXPECT_EQ(stored[0].uuid, first.uuid);
  EXPECT_EQ(stored[0].type, first.type);
  EXPECT_EQ(stored[0].data_json, first.data_json);
  EXPECT_EQ(i.intake->counters("beacon_0").stored, 2U);
}

TEST(EventIntake, AnEventCountsOnceAlsoAcrossARestart) {
  Intake i;
  const Event one = event();
  i.intake->offer("beacon_0", one, i.now);
  i.intake->offer("beacon_0", one, i.now);  // within a round
  EXPECT_THAT(i.commit().acknowledged.at("beacon_0"), ElementsAre(one.uuid));
  i.intake->offer("beacon_0", one, i.now);  // its acknowledgement got lost
  EXPECT_THAT(i.commit().acknowledged.at("beacon_0"), ElementsAre(one.uuid));
  i.open();
  i.intake->offer("beacon_0", one, i.now);
  const auto outcome = i.commit();
  EXPECT_THAT(outcome.acknowledged.at("beacon_0"), ElementsAre(one.uuid));
  EXPECT_THAT(outcome.stored, IsEmpty());
  EXPECT_EQ(i.on_disk().size(), 1U);
  EXPECT_EQ(i.intake->counters("beacon_0").duplicates, 1U);
}

TEST(EventIntake, SentEventsAreRememberedByTheFileOfRecentOnes) {
  Intake i;
  const Event one = event();
  i.intake->offer("beacon_0", one, i.now);
  i.commit();
  ASSERT_TRUE(i.intake->write_recent());
  i.spool->release(1);
  i.open();
  i.intake->offer("beacon_0", one, i.now);
  EXPECT_THAT(i.commit().stored, IsEmpty());
  ASSERT_EQ(i.intake->recent().newest("beacon_0", 10).size(), 1U);
  EXPECT_EQ(i.intake->recent().newest("", 10)[0].event.message, "a leak");
  EXPECT_THAT(i.intake->recent().newest("detector_0", 10), IsEmpty());
}

TEST(EventIntake, OfWhatNoManifestAllowsNothingIsStored) {
  Intake i;
  Event no_uuid = event();
  no_uuid.uuid = "7";
  Event long_one = event();
  long_one.data_json = "{\"x\":\"" + std::string(300 << 10, 'x') + "\"}";
  const std::vector<Event> refused{event("instruments.beacon.ev.other"),
                                   event("instruments.detector.ev.alert"),
                                   event("sensor.ev.broken"), no_uuid, long_one};
  for (const Event& one : refused)
    i.intake->offer("beacon_0", one, i.now);
  const auto outcome = i.commit();
  EXPECT_THAT(outcome.acknowledged, IsEmpty());
  std::size_t uuids = 0;
  for (const auto& refusal : outcome.refused) {
    EXPECT_FALSE(refusal.reason.empty());
    uuids += refusal.uuids.size();
  }
  EXPECT_EQ(uuids, refused.size());
  EXPECT_EQ(i.intake->counters("beacon_0").refused, refused.size());
  EXPECT_THAT(i.on_disk(), IsEmpty());
}

TEST(EventIntake, SaysOnceAMinuteThatItLives) {
  Intake i;
  EXPECT_TRUE(i.commit().appended);
  i.now += std::chrono::seconds{59};
  EXPECT_FALSE(i.commit().appended);
  i.now += std::chrono::seconds{1};
  EXPECT_TRUE(i.commit().appended);
  EXPECT_THAT(i.on_disk(), IsEmpty());
}

TEST(EventIntake, OfAFloodEachEventIsStoredOnceOrCountedAsRefusedAndItIsNamed) {
  Intake i;
  std::size_t offered = 0, floods = 0;
  // 1,000 a second for 20 seconds; then as long as it takes to store what waits.
  for (int round = 0; round < 1400; ++round) {
    for (int n = 0; n < 100 && round < 200; ++n, ++offered)
      i.intake->offer("beacon_0", event(), i.now);
    for (const auto& kept : i.commit().stored) {
      if (kept.event.type != "sensor.ev.flooding") continue;
      ++floods;
      EXPECT_EQ(kept.instance, "beacon_0");
      EXPECT_THAT(kept.event.message, HasSubstr("beacon_0 floods"));
    }
    if (round == 199) {
      EXPECT_EQ(i.intake->health("beacon_0").state, HealthState::degraded);
    }
    i.now += 100ms;
  }
  const auto counters = i.intake->counters("beacon_0");
  EXPECT_EQ(counters.stored + counters.refused, offered);
  EXPECT_GE(counters.stored, 200U);
  EXPECT_LE(counters.stored, 200U + 100U + 1000U + 10U);  // rate, burst, queue
  EXPECT_GE(floods, 1U);
  EXPECT_LE(floods, 3U);  // once a minute
  EXPECT_EQ(i.on_disk().size(), counters.stored + floods);
  EXPECT_EQ(i.intake->health("beacon_0").state, HealthState::healthy);  // a minute later
}

TEST(EventIntake, ABacklogOfOneThatWaitsForAnswersIsStoredWholeAtItsRate) {
  Intake i;
  std::size_t stored = 0;
  std::vector<Event> outbox;
  for (int n = 0; n < 400; ++n)
    outbox.push_back(event());
  for (int round = 0; round < 400 && stored < outbox.size(); ++round) {
    // A window of 50 that are not answered, each sent again now and then.
    for (std::size_t at = stored; at < std::min(outbox.size(), stored + 50); ++at)
      i.intake->offer("beacon_0", outbox[at], i.now);
    const auto outcome = i.commit();
    EXPECT_THAT(outcome.refused, IsEmpty());
    stored = i.intake->counters("beacon_0").stored;
    i.now += 100ms;
  }
  EXPECT_EQ(stored, outbox.size());
  EXPECT_EQ(i.on_disk().size(), outbox.size());
}

TEST(EventIntake, WithoutRoomNothingIsAcknowledgedAndNothingRefused) {
  Intake i(64 << 10);
  std::size_t acknowledged = 0, offered = 0;
  while (i.intake->fault().empty() && offered < 1000) {
    Event one = event();
    std::string noise;
    for (int n = 0; n < 100; ++n)
      noise += make_uuid();
    one.data_json = "{\"noise\":\"" + noise + "\"}";
    i.intake->offer("beacon_0", one, i.now);
    ++offered;
    for (const auto& [name, uuids] : i.commit().acknowledged)
      acknowledged += uuids.size();
    i.now += 1s;
  }
  EXPECT_FALSE(i.intake->fault().empty());
  EXPECT_EQ(acknowledged, i.on_disk().size());
  EXPECT_LT(acknowledged, offered);
  EXPECT_EQ(i.intake->counters("beacon_0").refused, 0U);
  for (int n = 0; n < 5000; ++n)
    i.intake->tell("", "noise", "bounded", "{}", i.now);
  i.spool->release(i.spool->next() - 1);  // the server has them
  i.now += 2s;
  for (const auto& [name, uuids] : i.commit().acknowledged)
    acknowledged += uuids.size();
  EXPECT_EQ(acknowledged, offered);
  EXPECT_TRUE(i.intake->fault().empty());
}

TEST(EventIntake, OurOwnEventsAreStoredTheSameWay) {
  Intake i;
  i.intake->tell("beacon_0", "transmitted", "it tried to transmit", R"({"packets":1})", i.now);
  i.intake->tell("", "pool", "nearly full", "no JSON", i.now);
  const auto outcome = i.commit();
  EXPECT_THAT(outcome.acknowledged, IsEmpty());
  const auto stored = i.on_disk();
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_EQ(stored[0].type, "sensor.ev.transmitted");
  EXPECT_EQ(stored[0].instance, "beacon_0");
  EXPECT_EQ(stored[1].instance, "");
  EXPECT_EQ(stored[1].data_json, "{}");
}

TEST(RecentEvents, OneThatFloodsPushesOutItsOwn) {
  const TestFolder folder;
  RecentEvents recent(folder.path() + "/recent");
  recent.add({"watcher_0", event("sensor.ev.interface_lost")});
  for (int n = 0; n < 5000; ++n)
    recent.add({"beacon_0", event()});
  recent.add({"", event("sensor.ev.runtime_away")});
  EXPECT_EQ(recent.newest("watcher_0", 10).size(), 1U);
  EXPECT_EQ(recent.newest("beacon_0", 10).size(), 10U);
  EXPECT_LE(recent.newest("", 10'000).size(), 2000U);
}

TEST(SeenEvents, TellInstancesApartAndForgetTheOldest) {
  SeenEvents seen(3);
  std::vector<std::string> uuids;
  for (int n = 0; n < 4; ++n) {
    uuids.push_back(make_uuid());
    seen.add("a_0", uuids.back());
  }
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_FALSE(seen.has("a_0", uuids[0]));
  EXPECT_TRUE(seen.has("a_0", uuids[3]));
  EXPECT_FALSE(seen.has("b_0", uuids[3]));
}

}  // namespace
}  // namespace beaconry
