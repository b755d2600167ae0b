#include "sensor/services/config_delivery.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using from_instrument::Configured;

constexpr Timestamp kStart{std::chrono::hours{24 * 365 * 50}};

// An instrument that is there, and its configuration.
struct Delivery {
  ConfigDelivery config{"beacon_0@sensor001", true};
  Timestamp now = kStart;

  void wish(std::uint64_t version, const std::string& json = "{}", const std::string& maker = "1") {
    config.wish(json, version, maker, true, now);
  }
  void begin() {
    config.started(false);
    config.heard(true, now);
  }
  // The version that is delivered now; 0: none is.
  std::uint64_t deliver() {
    const auto due = config.due();
    if (!due) return 0;
    config.sent(now);
    return due->version;
  }
  void answer(std::uint64_t version, ConfigState state, const std::string& reason = "") {
    config.answered(Configured{version, state, reason}, now);
  }
  void trusted(std::uint64_t version) {
    applied(version);
    config.watch(true, 60s, now);
    now += 60s;
    config.watch(true, 60s, now);
  }
  void applied(std::uint64_t version) {
    wish(version);
    EXPECT_EQ(deliver(), version);
    answer(version, ConfigState::applied);
    EXPECT_EQ(config.state(), ConfigState::applied);
  }
};

TEST(ConfigDelivery, IsDeliveredOnceTheInstrumentIsThereAndAppliedWhenItSaysSo) {
  Delivery d;
  d.wish(3, R"({"a":1})");
  d.config.started(false);
  EXPECT_EQ(d.deliver(), 0U);  // nobody to deliver it to
  EXPECT_EQ(d.config.state(), ConfigState::unset);
  d.config.heard(true, d.now);
  const auto due = d.config.due();
  ASSERT_TRUE(due);
  EXPECT_EQ(due->target, "beacon_0@sensor001");
  EXPECT_EQ(due->config_json, R"({"a":1})");
  EXPECT_EQ(due->timestamp, kStart);
  EXPECT_EQ(d.deliver(), 3U);
  EXPECT_EQ(d.config.state(), ConfigState::applying);
  EXPECT_FALSE(d.config.is_settled());
  EXPECT_EQ(d.deliver(), 0U);         // under way
  d.answer(2, ConfigState::applied);  // of another version
  EXPECT_EQ(d.config.state(), ConfigState::applying);
  d.answer(3, ConfigState::applied);
  EXPECT_EQ(d.config.state(), ConfigState::applied);
  EXPECT_EQ(d.config.report().applied, 3U);
  EXPECT_TRUE(d.config.is_settled());
}

TEST(ConfigDelivery, WhatTheBusMayHaveLostIsDeliveredAgain) {
  Delivery d;
  d.wish(1);
  d.begin();
  EXPECT_EQ(d.deliver(), 1U);
  d.now += 25s;
  d.config.pause(d.now);  // the bus is away
  EXPECT_EQ(d.deliver(), 1U);
  d.now += 9s;
  d.config.work(d.now);
  EXPECT_EQ(d.config.state(), ConfigState::applying);  // a new deadline
  EXPECT_EQ(d.deliver(), 0U);
  d.now += 1s;
  d.config.work(d.now);
  EXPECT_EQ(d.deliver(), 1U);
  d.answer(1, ConfigState::applying);  // it has it
  d.now += 29s;
  d.config.work(d.now);
  EXPECT_EQ(d.deliver(), 0U);
  d.answer(1, ConfigState::applied);
  EXPECT_EQ(d.config.state(), ConfigState::applied);
}

TEST(ConfigDelivery, WhatNeverArrivesFailsByItsFirstDeadline) {
  Delivery d;
  d.wish(1);
  d.begin();
  for (std::chrono::seconds at{0}; at < ConfigDelivery::kDeadline; at += 1s) {
    d.deliver();
    d.now += 1s;
    d.config.work(d.now);
  }
  EXPECT_EQ(d.config.state(), ConfigState::failed);
}

TEST(ConfigDelivery, FallsBackToTheLastAppliedWhereOneFails) {
  Delivery d;
  d.begin();
  d.applied(1);
  d.wish(2);
  EXPECT_EQ(d.deliver(), 2U);
  d.answer(2, ConfigState::failed, "no interface eth9");
  EXPECT_EQ(d.deliver(), 1U);
  EXPECT_EQ(d.config.state(), ConfigState::failed);
  EXPECT_FALSE(d.config.is_settled());
  d.answer(1, ConfigState::applied);
  EXPECT_TRUE(d.config.is_settled());
  EXPECT_EQ(d.deliver(), 0U);
  const auto report = d.config.report();
  EXPECT_EQ(report.wished, 2U);
  EXPECT_EQ(report.applied, 1U);
  EXPECT_EQ(report.reason, "no interface eth9; back to version 1");
  EXPECT_TRUE(d.config.take_news());
  EXPECT_FALSE(d.config.take_news());
  // The failed one is not tried again at the next start.
  d.config.stopped();
  d.begin();
  EXPECT_EQ(d.deliver(), 1U);
  // Another one is, and the same one with another image.
  d.wish(2, "{}", "2");
  EXPECT_EQ(d.deliver(), 2U);
}

TEST(ConfigDelivery, OneThatHangsFailsAtItsDeadlineAndTheInstrumentStartsAgain) {
  Delivery d;
  d.begin();
  d.applied(1);
  d.wish(2);
  EXPECT_EQ(d.deliver(), 2U);
  d.now += ConfigDelivery::kDeadline - 1s;
  d.answer(2, ConfigState::applying);  // it works on it
  d.now += ConfigDelivery::kDeadline - 1s;
  d.config.work(d.now);
  EXPECT_EQ(d.config.state(), ConfigState::applying);
  d.now += 1s;
  d.config.work(d.now);
  EXPECT_EQ(d.config.state(), ConfigState::failed);
  EXPECT_TRUE(d.config.take_restart());
  EXPECT_FALSE(d.config.take_restart());
  d.config.stopping();
  d.config.stopped();
  d.begin();
  EXPECT_EQ(d.deliver(), 1U);
  // A fallback that hangs too is given up, without another start.
  d.now += ConfigDelivery::kDeadline;
  d.config.work(d.now);
  EXPECT_FALSE(d.config.take_restart());
  EXPECT_EQ(d.deliver(), 0U);
  EXPECT_EQ(d.config.state(), ConfigState::failed);
}

TEST(ConfigDelivery, OneThatCrashesTheInstrumentTwiceFails) {
  Delivery d;
  d.begin();
  d.applied(1);
  d.wish(2);
  EXPECT_EQ(d.deliver(), 2U);
  d.config.stopped();  // killed, perhaps
  d.begin();
  EXPECT_EQ(d.deliver(), 2U);
  d.config.stopped();
  EXPECT_EQ(d.config.state(), ConfigState::failed);
  d.begin();
  EXPECT_EQ(d.deliver(), 1U);
  EXPECT_EQ(d.config.report().reason,
            "it ended twice while it was applying version 2; back to version 1");
}

TEST(ConfigDelivery, OneThatCrashesTheInstrumentSoonAfterItWasAppliedIsTakenBack) {
  Delivery d;
  d.begin();
  d.trusted(1);
  d.applied(2);
  d.config.watch(true, 60s, d.now);
  d.now += 59s;
  d.config.watch(true, 60s, d.now);
  d.config.stopped();  // killed, perhaps
  EXPECT_TRUE(d.config.take_changed());
  Delivery after;  // the platform, too
  after.config.restore(d.config.kept());
  after.wish(2);
  after.now = d.now;
  after.begin();
  EXPECT_EQ(after.deliver(), 2U);
  after.answer(2, ConfigState::applied);
  after.config.watch(true, 60s, after.now);
  after.config.stopped();
  EXPECT_EQ(after.config.state(), ConfigState::failed);
  EXPECT_TRUE(after.config.take_news());
  after.begin();
  EXPECT_EQ(after.deliver(), 1U);
  EXPECT_EQ(after.config.report().reason,
            "it ended twice soon after it had applied version 2; back to version 1");
}

TEST(ConfigDelivery, OneThatWasHealthyForAWhileStaysWhateverEndsLater) {
  Delivery d;
  d.begin();
  d.trusted(1);
  d.trusted(2);
  for (int run = 0; run < 5; ++run) {
    d.config.stopped();
    d.begin();
    EXPECT_EQ(d.deliver(), 2U);
    if (run % 2 == 0) d.answer(2, ConfigState::applied);
  }
  EXPECT_NE(d.config.state(), ConfigState::failed);
}

TEST(ConfigDelivery, TheFirstOneStaysSinceThereIsNoneToGoBackTo) {
  Delivery d;
  d.begin();
  d.applied(1);
  for (int run = 0; run < 5; ++run) {
    d.config.stopped();
    d.begin();
    EXPECT_EQ(d.deliver(), 1U);
    d.answer(1, ConfigState::applied);
  }
  EXPECT_EQ(d.config.state(), ConfigState::applied);
}

TEST(ConfigDelivery, AFallbackOnTrialThatKeepsEndingGivesWayToTheOneThatWasTrusted) {
  Delivery d;
  d.begin();
  d.trusted(1);
  d.applied(2);
  d.wish(3);
  EXPECT_EQ(d.deliver(), 3U);
  d.answer(3, ConfigState::failed, "no");
  EXPECT_EQ(d.deliver(), 2U);
  for (int run = 0; run < 2; ++run) {
    d.answer(2, ConfigState::applied);
    d.config.stopped();
    d.begin();
    EXPECT_EQ(d.deliver(), run == 0 ? 2U : 1U);
  }
  EXPECT_EQ(d.config.report().reason,
            "no; back to version 2, which failed too: it ended twice soon after it had applied "
            "version 2; back to version 1");
}

TEST(ConfigDelivery, StoppingOnPurposeSaysNothingOfTheConfiguration) {
  Delivery d;
  d.wish(1);
  for (int run = 0; run < 5; ++run) {
    d.begin();
    EXPECT_EQ(d.deliver(), 1U);
    d.config.stopping();
    d.config.stopped();
  }
  EXPECT_NE(d.config.state(), ConfigState::failed);
}

TEST(ConfigDelivery, ANewWishCancelsTheOneUnderWay) {
  Delivery d;
  d.begin();
  d.wish(1);
  EXPECT_EQ(d.deliver(), 1U);
  d.wish(2);
  EXPECT_EQ(d.deliver(), 2U);
  d.answer(1, ConfigState::failed, "late");
  EXPECT_EQ(d.config.state(), ConfigState::applying);
  d.answer(2, ConfigState::applied);
  EXPECT_EQ(d.config.state(), ConfigState::applied);
}

TEST(ConfigDelivery, IsDeliveredAgainAfterHello) {
  Delivery d;
  d.begin();
  d.applied(1);
  d.config.heard(true, d.now);  // it came back to the bus
  EXPECT_EQ(d.deliver(), 1U);
  d.config.heard(true, d.now);
  EXPECT_EQ(d.deliver(), 1U);
}

TEST(ConfigDelivery, WhatWasAppliedAndWhatFailedSurvivesThePlatformsRestart) {
  Delivery d;
  d.begin();
  d.wish(1, R"({"a":1})");
  d.deliver();
  d.answer(1, ConfigState::applied);
  const std::string applied = d.config.kept();
  d.wish(2);
  d.deliver();
  d.answer(2, ConfigState::failed, "bad");
  EXPECT_TRUE(d.config.take_changed());
  EXPECT_FALSE(d.config.take_changed());

  Delivery after;  // the instrument ran on
  after.config.restore(applied);
  after.wish(1, R"({"a":1})");
  after.config.started(true);
  after.config.heard(false, after.now);
  EXPECT_EQ(after.config.state(), ConfigState::applied);
  EXPECT_EQ(after.deliver(), 0U);

  Delivery failed;
  failed.config.restore(d.config.kept());
  failed.wish(2);
  failed.begin();
  const auto due = failed.config.due();
  ASSERT_TRUE(due);
  EXPECT_EQ(due->version, 1U);
  EXPECT_EQ(due->config_json, R"({"a":1})");

  for (const char* damaged : {"", "[]", R"({"applied":7,"wished":{"uuid":1}})", "{"}) {
    ConfigDelivery fresh("beacon_0@s", true);
    fresh.restore(damaged);
    EXPECT_EQ(fresh.report().applied, 0U);
  }
}

TEST(ConfigDelivery, AnInstrumentWithoutASchemaGetsNone) {
  ConfigDelivery config("downloader_0@s", false);
  config.wish("{}", 1, "1", false, kStart);
  config.started(false);
  config.heard(true, kStart);
  EXPECT_FALSE(config.due());
  EXPECT_EQ(config.state(), ConfigState::unset);
  EXPECT_TRUE(config.is_settled());
}

}  // namespace
}  // namespace beaconry
