// The services over a real broker.
#include "sensor/services.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "sensor/services/config_delivery.h"
#include "sensor/services/test_services.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST_F(ServicesTest, AConfigurationIsAppliedAndOneThatFailsIsReplacedByTheLastApplied) {
  Services::Instance beacon = instance("beacon_0");
  beacon.config_json = R"({"interface":"probe"})";
  TestInstrument& one = start(beacon);
  ASSERT_TRUE(until([&] { return report("beacon_0").config.state == ConfigState::applied; }));
  const auto delivered = one.all<to_instrument::Configure>();
  ASSERT_FALSE(delivered.empty());
  EXPECT_EQ(delivered[0].document.target, "beacon_0@sensor001");
  EXPECT_EQ(delivered[0].document.config_json, R"({"interface":"probe"})");

  one.bad[2] = "no interface eth9";
  beacon.config_json = R"({"interface":"eth9"})";
  beacon.config_version = 2;
  services_->changed(beacon, now());
  ASSERT_TRUE(until([&] {
    return report("beacon_0").config.state == ConfigState::failed && one.running_version == 1 &&
           one.all<to_instrument::Configure>().size() >= 3;
  }));
  const auto config = report("beacon_0").config;
  EXPECT_EQ(config.wished, 2U);
  EXPECT_EQ(config.applied, 1U);
  EXPECT_THAT(config.reason, HasSubstr("no interface eth9"));
  EXPECT_TRUE(until([&] {
    const auto events = services_->events("beacon_0", 100);
    return std::any_of(events.begin(), events.end(), [](const auto& kept) {
      return kept.event.type == "sensor.ev.config_failed";
    });
  }));
}

TEST_F(ServicesTest, AConfigurationThatHangsRestartsTheInstrumentWithTheOneBefore) {
  Services::Instance beacon = instance("beacon_0");
  TestInstrument& one = start(beacon);
  ASSERT_TRUE(until([&] { return report("beacon_0").config.state == ConfigState::applied; }));
  one.bad[2] = "hang";
  beacon.config_version = 2;
  services_->changed(beacon, now());
  ASSERT_TRUE(until([&] { return one.all<to_instrument::Configure>().size() == 2; }));
  pass(ConfigDelivery::kDeadline + 5s);
  ASSERT_TRUE(until([&] { return restarts_.size() == 1; }));
  EXPECT_EQ(restarts_[0].first, "beacon_0");
  stop("beacon_0");
  TestInstrument& again = start(beacon);
  EXPECT_TRUE(until([&] { return again.running_version == 1; }));
  EXPECT_EQ(report("beacon_0").config.state, ConfigState::failed);
}

TEST_F(ServicesTest, AConfigurationThatCrashesTheInstrumentIsNotDeliveredAThirdTime) {
  Services::Instance beacon = instance("beacon_0");
  start(beacon);
  ASSERT_TRUE(until([&] { return report("beacon_0").config.state == ConfigState::applied; }));
  beacon.config_version = 2;
  for (int crash = 0; crash < 2; ++crash) {
    stop("beacon_0");
    TestInstrument& one = start(beacon);
    one.bad[2] = "hang";
    ASSERT_TRUE(until([&] { return !one.all<to_instrument::Configure>().empty(); }));
  }
  stop("beacon_0");
  TestInstrument& one = start(beacon);
  EXPECT_TRUE(until([&] { return one.running_version == 1; }));
  EXPECT_THAT(report("beacon_0").config.reason, HasSubstr("ended twice"));
}

TEST_F(ServicesTest, HealthIsAskedForAndSilenceBecomesAFailureOnlyInTheEnd) {
  Services::Instance beacon = instance("beacon_0");
  const Timestamp before = now();
  TestInstrument& one = start(beacon);
  ASSERT_TRUE(until([&] { return services_->is_healthy_since("beacon_0", before); }));
  EXPECT_FALSE(services_->is_healthy_since("beacon_0", now()));
  EXPECT_FALSE(services_->is_healthy_since("other_0", before));
  EXPECT_TRUE(until([&] { return services_->health().state == HealthState::healthy; }));
  one.answers_health = false;
  pass(60s);
  EXPECT_EQ(report("beacon_0").health.state, HealthState::healthy);
  pass(90s);
  EXPECT_EQ(report("beacon_0").health.state, HealthState::failed);
  EXPECT_EQ(report("beacon_0").health.cause, "does not answer");
  EXPECT_EQ(services_->health().state, HealthState::failed);
  one.answers_health = true;
  pass(360s);  // it is asked seldomer meanwhile
  EXPECT_TRUE(until([&] { return report("beacon_0").health.state == HealthState::healthy; }));
  // History: each change is an event of its own.
  std::size_t told = 0;
  for (const auto& kept : services_->events("beacon_0", 100))
    told += kept.event.type == "sensor.ev.health" ? 1 : 0;
  EXPECT_GE(told, 2U);
}

TEST_F(ServicesTest, OneThatStillPublishesIsBusy) {
  TestInstrument& one = start(instance("beacon_0"));
  ASSERT_TRUE(until([&] { return report("beacon_0").health.state == HealthState::healthy; }));
  one.answers_health = false;
  for (int n = 0; n < 15; ++n) {
    pass(10s);
    one.say(from_instrument::Publish{event()});
    ASSERT_TRUE(until([&] { return one.acknowledged() == static_cast<std::size_t>(n) + 1; }));
  }
  EXPECT_EQ(report("beacon_0").health.state, HealthState::degraded);
  EXPECT_THAT(report("beacon_0").health.cause, HasSubstr("busy"));
}

TEST_F(ServicesTest, RetentionIsCommandedAndItsReceiptKept) {
  Services::Instance beacon = instance("beacon_0");
  start(beacon);
  ASSERT_TRUE(until([&] { return report("beacon_0").retention.items == 3; }));
  EXPECT_FALSE(report("beacon_0").retention.overdue);
  instruments_.clear();
  open();
  ASSERT_TRUE(services_->prepare(beacon));
  EXPECT_EQ(report("beacon_0").retention.items, 3U);
}

TEST_F(ServicesTest, DataPastItsRetentionIsToldOnce) {
  TestInstrument& one = start(instance("beacon_0"));
  ASSERT_TRUE(until([&] { return report("beacon_0").retention.items == 3; }));
  one.receipt_error = "the disk is read-only";
  const auto told = [&] {
    std::size_t count = 0;
    for (const auto& kept : services_->events("beacon_0", 100))
      count += kept.event.type == "sensor.ev.retention_overdue" ? 1 : 0;
    return count;
  };
  pass(61min);
  EXPECT_TRUE(until([&] { return told() == 1; }));
  EXPECT_TRUE(report("beacon_0").retention.overdue);
  pass(11min);
  ASSERT_TRUE(until([&] { return one.receipts >= 3; }));
  EXPECT_EQ(told(), 1U);
}

TEST_F(ServicesTest, AnEventIsStoredOnceAcknowledgedAndThenHeardByThoseWhoMay) {
  Services::Instance recorder = instance("recorder_0");
  recorder.manifest.relations = {{"beacon", true, false, true}};
  TestInstrument& one = start(instance("beacon_0"));
  TestInstrument& other = start(recorder);
  ASSERT_TRUE(other.client()->subscribe(topics::events_filter("beacon")));
  const Event alert = event();
  one.say(from_instrument::Publish{alert});
  ASSERT_TRUE(until([&] { return one.acknowledged() == 1 && other.others.size() == 1; }));
  EXPECT_EQ(other.others[0].topic, "events/beacon/beacon_0");
  EXPECT_EQ(decode_event(other.others[0].payload)->uuid, alert.uuid);
  one.say(from_instrument::Publish{alert});
  ASSERT_TRUE(until([&] { return one.acknowledged() == 2; }));

  // The platform starts again: the same account, and the event is known.
  for (auto& [name, instrument] : instruments_)
    instrument->leave();
  open();
  attach(instance("beacon_0"));
  attach(recorder);
  one.say(from_instrument::Publish{alert});
  ASSERT_TRUE(until([&] {
    one.say(from_instrument::Publish{alert});
    return one.acknowledged() >= 3;
  }));
  EXPECT_EQ(report("beacon_0").events.stored, 0U);
  std::size_t kept = 0;
  for (const auto& stored : services_->events("beacon_0", 100))
    kept += stored.event.uuid == alert.uuid ? 1 : 0;
  EXPECT_EQ(kept, 1U);
  // What it had applied it still has: nothing is delivered again but after its hello.
  EXPECT_TRUE(until([&] { return report("beacon_0").config.state == ConfigState::applied; }));
}

// One that ran on is back on the bus before the lifecycle has found it, and would say what nobody
// took again only after a while.
TEST_F(ServicesTest, WhatIsSaidBeforeItsInstanceIsHandedOverCountsOnceItIs) {
  TestInstrument& one = start(instance("beacon_0"));
  ASSERT_TRUE(until([&] { return report("beacon_0").config.state == ConfigState::applied; }));
  one.leave();
  open();
  ASSERT_TRUE(until([&] { return one.client() != nullptr; }));
  one.say(from_instrument::Publish{event()});
  ASSERT_TRUE(until([&] { return one.client() && one.client()->unacknowledged() == 0; }));
  turn();
  attach(instance("beacon_0"));
  EXPECT_TRUE(until([&] { return one.acknowledged() == 1; }));
}

TEST_F(ServicesTest, WhatAFormerRunSaidIsNotTakenForTheNextOnes) {
  TestInstrument& one = start(instance("beacon_0"));
  TestInstrument& other = start(instance("detector_0"));
  ASSERT_TRUE(until([&] { return report("beacon_0").config.state == ConfigState::applied; }));
  one.leave();
  other.leave();
  open();
  attach(instance("detector_0"));
  ASSERT_TRUE(until([&] { return one.client() && other.client(); }));
  one.say(from_instrument::Publish{event()});
  ASSERT_TRUE(until([&] { return one.client() && one.client()->unacknowledged() == 0; }));
  // Behind it on the bus: once that is here, so is the other.
  other.say(from_instrument::Publish{event("detector")});
  ASSERT_TRUE(until([&] { return other.acknowledged() == 1; }));
  TestInstrument& next = start(instance("beacon_0"));
  next.say(from_instrument::Publish{event()});
  ASSERT_TRUE(until([&] { return next.acknowledged() == 1; }));
  EXPECT_EQ(report("beacon_0").events.stored, 1U);
}

// The bus drops what a queue has no room for, a hello too.
TEST_F(ServicesTest, WhoeverSaysAnythingIsThere) {
  Services::Instance downloader = instance("downloader_0");
  downloader.manifest.downloads = true;
  Services::Instance beacon = instance("beacon_0");
  beacon.manifest.resources = true;
  beacon.config_json = R"({"from":"https://updates.example/tool"})";
  ASSERT_TRUE(services_->prepare(downloader));
  auto& place = instruments_["downloader_0"];
  place = std::make_unique<TestInstrument>(folder_.path() + "/run", "downloader_0", false);
  services_->started(downloader, now());
  TestInstrument& one = start(beacon);
  ResourceWish wish;
  wish.name = "tool";
  wish.url = "https://updates.example/tool";
  one.say(from_instrument::Want{wish});
  EXPECT_TRUE(until([&] { return place->all<to_instrument::Fetch>().size() == 1; }));
}

TEST_F(ServicesTest, AFloodIsRefusedBeyondItsBoundsAndNamed) {
  Services::Instance beacon = instance("beacon_0");
  beacon.manifest.limits.events_per_second = 10;
  TestInstrument& one = start(beacon);
  ASSERT_TRUE(until([&] { return report("beacon_0").health.state == HealthState::healthy; }));
  constexpr std::size_t kSent = 3000;
  for (std::size_t n = 0; n < kSent; ++n) {
    one.say(from_instrument::Publish{event()});
    if (n % 50 == 0) turn();
  }
  // As many as waited are stored over time.
  ASSERT_TRUE(until([&] {
    ahead_ += 5s;
    return one.acknowledged() + one.refused() == kSent;
  }));
  EXPECT_GE(one.acknowledged(), 100U);
  EXPECT_GE(one.refused(), 1000U);
  const auto counters = report("beacon_0").events;
  EXPECT_EQ(counters.stored, one.acknowledged());
  EXPECT_EQ(counters.refused, one.refused());
  ASSERT_TRUE(until([&] {
    for (const auto& kept : services_->events("beacon_0", 2000)) {
      if (kept.event.type == "sensor.ev.flooding") return true;
    }
    return false;
  }));
}

TEST_F(ServicesTest, AFloodOfNonsenseIsKeptOffTheBusForAMinuteAndNamedEachTime) {
  TestInstrument& one = start(instance("beacon_0"));
  TestInstrument& other = start(instance("detector_0"));
  ASSERT_TRUE(until([&] { return report("beacon_0").health.state == HealthState::healthy; }));
  const auto words = [&] {
    std::size_t count = 0;
    for (const auto& kept : services_->events("beacon_0", 2000)) {
      count += kept.event.type == "sensor.ev.flooding" &&
                       kept.event.message.find("kept off") != std::string::npos
                   ? 1
                   : 0;
    }
    return count;
  };
  for (std::size_t round = 1; round <= 2; ++round) {
    ASSERT_TRUE(until([&] {
      for (int n = 0; n < 500; ++n)
        one.say_raw("nonsense");
      return words() == round;
    }));
    // Connected no more, and what the others say is heard.
    ASSERT_TRUE(until([&] { return one.client() == nullptr; }));
    other.say(from_instrument::Publish{event("detector")});
    ASSERT_TRUE(until([&] { return other.acknowledged() == round; }));
    EXPECT_EQ(one.client(), nullptr);
    EXPECT_EQ(report("beacon_0").health.state, HealthState::degraded);
    pass(60s);
    one.say(from_instrument::Publish{event()});
    ASSERT_TRUE(until([&] {
      if (one.acknowledged() < round) one.say(from_instrument::Publish{event()});
      return one.acknowledged() >= round;
    }));
  }
  EXPECT_EQ(services_->bus_restarts(), 0U);
}

TEST_F(ServicesTest, AFloodOfDirectMessagesIsItsSenders) {
  Services::Instance asker = instance("beacon_0");
  asker.manifest.relations = {{"detector", true, true, false}};
  TestInstrument& one = start(asker);
  TestInstrument& other = start(instance("detector_0"));
  one.leave();  // and comes again with what it may now
  ASSERT_TRUE(until([&] {
    for (int n = 0; n < 500; ++n)
      one.publish(topics::direct("detector_0", "beacon_0"), "x");
    const auto events = services_->events("beacon_0", 2000);
    return std::any_of(events.begin(), events.end(), [](const auto& kept) {
      return kept.event.type == "sensor.ev.flooding" &&
             kept.event.message.find("kept off") != std::string::npos;
    });
  }));
  ASSERT_TRUE(until([&] { return one.client() == nullptr; }));
  other.say(from_instrument::Publish{event("detector")});
  EXPECT_TRUE(until([&] { return other.acknowledged() == 1; }));
}

TEST_F(ServicesTest, WhatIsNoMessageIsCountedAndAnEventThatIsWrongIsRefused) {
  TestInstrument& one = start(instance("beacon_0"));
  one.say_raw("nonsense");
  one.say_raw(R"({"kind":"publish","event":{"uuid":"0190b8f2-7b1c-4c3a-9d55-3f1e2a4b5c6d"}})");
  one.say(from_instrument::Publish{event("detector")});
  ASSERT_TRUE(until([&] { return one.refused() == 2; }));
  EXPECT_EQ(report("beacon_0").events.malformed, 2U);
  EXPECT_EQ(report("beacon_0").events.refused, 1U);
}

TEST_F(ServicesTest, NobodySpeaksAsAnother) {
  start(instance("beacon_0"));
  TestInstrument& thief = start(instance("detector_0"));
  ASSERT_TRUE(until([&] { return thief.client() != nullptr; }));
  const Event forged = event("beacon");
  ASSERT_TRUE(thief.client()->publish("i/beacon_0/out", encode(from_instrument::Publish{forged})));
  ASSERT_TRUE(thief.client()->publish("events/beacon/beacon_0", encode(forged)));
  ASSERT_TRUE(thief.client()->publish("i/beacon_0/in", encode(to_instrument::Stop{})));
  EXPECT_FALSE(thief.client()->subscribe("i/beacon_0/in"));
  EXPECT_FALSE(thief.client()->subscribe("events/beacon/+"));
  EXPECT_FALSE(thief.client()->subscribe("#"));
  // Behind all that, one of its own: once it is stored, the others were refused.
  thief.say(from_instrument::Publish{event("detector")});
  ASSERT_TRUE(until([&] { return thief.acknowledged() == 1; }));
  EXPECT_EQ(report("beacon_0").events.stored, 0U);
  EXPECT_TRUE(instruments_["beacon_0"]->all<to_instrument::Stop>().empty());
}

TEST_F(ServicesTest, DirectMessagesFollowTheRelationsOfThoseWhoAreThere) {
  Services::Instance asker = instance("beacon_0");
  asker.manifest.relations = {{"detector", true, true, false}};
  TestInstrument& one = start(asker);
  ASSERT_TRUE(until([&] { return one.client() != nullptr; }));
  one.say(from_instrument::Find{make_uuid(), "detector"});
  ASSERT_TRUE(until([&] { return one.all<to_instrument::Found>().size() == 1; }));
  EXPECT_TRUE(one.all<to_instrument::Found>()[0].instruments.empty());
  one.filters = {topics::direct_filter("beacon_0")};
  TestInstrument& other = start(instance("detector_0"));  // comes later
  other.filters = {topics::direct_filter("detector_0")};
  other.leave();  // and comes again, with that
  one.leave();
  ASSERT_TRUE(until([&] {
    one.publish(topics::direct("detector_0", "beacon_0"), "ask");
    return !other.others.empty();
  }));
  EXPECT_EQ(other.others[0].topic, "direct/detector_0/beacon_0");
  ASSERT_TRUE(until([&] {
    other.publish(topics::direct("beacon_0", "detector_0"), "reply");
    return !one.others.empty();
  }));
  EXPECT_EQ(one.others[0].payload, "reply");
  one.say(from_instrument::Find{make_uuid(), ""});
  ASSERT_TRUE(until([&] { return one.all<to_instrument::Found>().size() == 2; }));
  const auto found = one.all<to_instrument::Found>()[1].instruments;
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].instance, "detector_0");
  EXPECT_EQ(found[0].state, "RUNNING");
}

TEST_F(ServicesTest, RelationsPastWhatTheBusTakesConcernTheirInstrumentAlone) {
  Services::Instance greedy = instance("greedy_0");
  for (int n = 0; n < 300; ++n)
    greedy.manifest.relations.push_back({"a" + std::to_string(n), true, true, true});
  const auto folders = services_->prepare(greedy);
  ASSERT_FALSE(folders);
  EXPECT_THAT(folders.error().message(), HasSubstr("topic filters"));
  TestInstrument& one = start(instance("beacon_0"));
  one.say(from_instrument::Publish{event()});
  ASSERT_TRUE(until([&] { return one.acknowledged() == 1; }));
  // Nothing of it is left that would keep the platform from starting.
  instruments_.clear();
  open();
  TestInstrument& again = start(instance("beacon_0"));
  again.say(from_instrument::Publish{event()});
  EXPECT_TRUE(until([&] { return again.acknowledged() == 1; }));
}

TEST_F(ServicesTest, AnAccountOnDiskThatTheBusRefusesIsLeftOut) {
  start(instance("beacon_0"));
  instruments_.clear();
  services_.reset();
  const std::string file = folder_.path() + "/state/accounts.json";
  auto accounts = nlohmann::json::parse(*read_small_file(file, 1 << 20));
  for (int n = 0; n < 300; ++n)
    accounts["beacon_0"]["subscribe"].push_back("events/a" + std::to_string(n) + "/+");
  ASSERT_TRUE(replace_file(file, accounts.dump()));
  open();
  TestInstrument& one = start(instance("beacon_0"));
  one.say(from_instrument::Publish{event()});
  EXPECT_TRUE(until([&] { return one.acknowledged() == 1; }));
}

TEST_F(ServicesTest, OneThatIsRemovedLeavesNothingBehind) {
  Services::Instance beacon = instance("beacon_0");
  beacon.manifest.uplink = true;
  const auto folders = services_->prepare(beacon);
  ASSERT_TRUE(folders) << folders.error().message();
  std::vector<std::string> paths;
  for (const auto& folder : *folders) {
    paths.push_back(folder.path);
    EXPECT_TRUE(std::filesystem::exists(folder.source)) << folder.source;
  }
  EXPECT_THAT(paths, testing::IsSupersetOf({"/run/bus", "/run/instrument", "/run/uplink"}));
  struct stat of {};
  const std::string run = folder_.path() + "/run";
  ASSERT_EQ(::stat((run + "/instances").c_str(), &of), 0);
  EXPECT_EQ(of.st_mode & 0777U, 0700U);
  ASSERT_EQ(::stat((run + "/closed").c_str(), &of), 0);  // the way to the bus
  EXPECT_EQ(of.st_mode & 0777U, 0700U);
  ASSERT_EQ(::stat((run + "/instances/beacon_0/identity.json").c_str(), &of), 0);
  EXPECT_EQ(of.st_mode & 0777U, 0644U);
  const TestInstrument one(run, "beacon_0");
  services_->removed("beacon_0");
  EXPECT_FALSE(std::filesystem::exists(run + "/instances/beacon_0"));
  EXPECT_FALSE(std::filesystem::exists(run + "/instances/beacon_0.up"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/state/configs/beacon_0.json"));
  // A new one of its name is another.
  ASSERT_TRUE(services_->prepare(beacon));
}

TEST_F(ServicesTest, TheClockMayBeSet) {
  TestInstrument& one = start(instance("beacon_0"));
  ASSERT_TRUE(until([&] { return report("beacon_0").health.state == HealthState::healthy; }));
  for (const Duration step : {Duration(24h), Duration(-48h)}) {
    ahead_ += step;
    for (int n = 0; n < 20; ++n)
      turn();
    EXPECT_EQ(report("beacon_0").health.state, HealthState::healthy);
    EXPECT_FALSE(report("beacon_0").retention.overdue);
    one.say(from_instrument::Publish{event()});
  }
  ASSERT_TRUE(until([&] { return one.acknowledged() == 2; }));
}

}  // namespace
}  // namespace beaconry
