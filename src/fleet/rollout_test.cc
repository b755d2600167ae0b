#include "fleet/rollout.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using Phase = Rollout::Phase;
using Stage = Rollout::Stage;

const Timestamp kStart = *parse_rfc3339("2026-11-20T08:00:00Z");

class RolloutTest : public testing::Test {
 protected:
  RolloutTest() {
    plan_.sensors = {"a", "b", "c", "d", "e"};
    plan_.max_parallel = 2;
    plan_.min_healthy_time = 5min;
    plan_.healthy_deadline = 30min;
    for (const std::string& sensor : plan_.sensors)
      look_[sensor] = {true, true, true, {}, {}};
  }
  Rollout begun() {
    auto rollout = Rollout::make(plan_, now_);
    EXPECT_TRUE(rollout) << rollout.error().message();
    rollout->step(look_, now_);
    return std::move(*rollout);
  }
  void pass(Rollout& rollout, Duration time) {
    for (const Timestamp end = now_ + time; now_ < end;) {
      now_ += 1min;
      rollout.step(look_, now_);
    }
  }
  static std::string holders(const Rollout& rollout) {
    std::string text;
    for (const auto& [sensor, turn] : rollout.turns()) {
      if (rollout.holds(sensor)) text += sensor;
    }
    return text;
  }

  RolloutPlan plan_;
  RolloutLook look_;
  Timestamp now_ = kStart;
};

TEST_F(RolloutTest, JudgesNobodyOfWhomItCannotTellYet) {
  Rollout rollout = begun();
  pass(rollout, 2min);
  look_["a"] = {true, true, false, {}, {}, true};
  pass(rollout, 2min);  // the server starts anew: that is no break of its health
  look_["a"] = {true, true, true, {}, {}, false};
  pass(rollout, 2min);
  EXPECT_EQ(rollout.turns().find("a")->second.stage, Stage::done);
}

TEST_F(RolloutTest, TriesACanaryThenSomeAtOnceUntilAllHaveIt) {
  Rollout rollout = begun();
  EXPECT_EQ(holders(rollout), "a");
  pass(rollout, 5min);
  EXPECT_EQ(holders(rollout), "a");  // well since the first look after it got it
  pass(rollout, 1min);
  EXPECT_EQ(holders(rollout), "abc");
  pass(rollout, 6min);
  EXPECT_EQ(holders(rollout), "abcde");
  pass(rollout, 6min);
  EXPECT_EQ(rollout.phase(), Phase::done);
  EXPECT_TRUE(rollout.has_ended());
}

TEST_F(RolloutTest, WantsHealthWithoutABreak) {
  Rollout rollout = begun();
  pass(rollout, 4min);
  look_["a"].healthy = false;
  pass(rollout, 1min);
  look_["a"].healthy = true;
  pass(rollout, 5min);
  EXPECT_EQ(holders(rollout), "a");
  pass(rollout, 1min);
  EXPECT_EQ(holders(rollout), "abc");
}

TEST_F(RolloutTest, TakesTheChangeBackFromAllWhenTooManyFail) {
  Rollout rollout = begun();
  pass(rollout, 6min);
  look_["c"].failed = "its image ended BROKEN";
  pass(rollout, 1min);
  EXPECT_EQ(rollout.phase(), Phase::reverting);
  EXPECT_NE(rollout.words().find("its image ended BROKEN"), std::string::npos);
  EXPECT_EQ(holders(rollout), "a");  // two go back at once
  pass(rollout, 3min);
  EXPECT_EQ(rollout.phase(), Phase::reverted);
  EXPECT_EQ(holders(rollout), "");
}

TEST_F(RolloutTest, FailsWhoIsNotHealthyInTime) {
  look_["a"].current = false;
  Rollout rollout = begun();
  pass(rollout, 29min);
  EXPECT_EQ(rollout.phase(), Phase::running);
  pass(rollout, 1min);
  EXPECT_EQ(rollout.phase(), Phase::reverting);
  EXPECT_EQ(rollout.turns().at("a").words, "it did not get to it within 30m 0s");
}

TEST_F(RolloutTest, WithoutAutoRevertPausesForAPerson) {
  plan_.auto_revert = false;
  Rollout rollout = begun();
  look_["a"].failed = "no room";
  pass(rollout, 1min);
  EXPECT_EQ(rollout.phase(), Phase::paused);
  EXPECT_EQ(holders(rollout), "a");
  ASSERT_TRUE(rollout.resume(now_));
  pass(rollout, 1min);
  EXPECT_EQ(holders(rollout), "ab");
  ASSERT_TRUE(rollout.abort("changed my mind", now_));
  pass(rollout, 3min);
  EXPECT_EQ(rollout.phase(), Phase::aborted);
  EXPECT_EQ(holders(rollout), "");
}

TEST_F(RolloutTest, SendsWhoFailedAloneBackAloneWithinItsAllowance) {
  plan_.max_failures = 1;
  Rollout rollout = begun();
  pass(rollout, 6min);
  look_["b"].failed = "no room";
  pass(rollout, 30min);
  EXPECT_EQ(rollout.phase(), Phase::done);
  EXPECT_EQ(holders(rollout), "acde");
  EXPECT_EQ(rollout.turns().at("b").stage, Stage::returned);
  EXPECT_TRUE(rollout.turns().at("b").failed);
}

TEST_F(RolloutTest, PassesOverWhoIsAwayOrSickAndServesThemLater) {
  look_["a"].reachable = false;
  look_["c"].healthy = false;
  Rollout rollout = begun();
  EXPECT_EQ(holders(rollout), "b");
  pass(rollout, 20min);
  EXPECT_EQ(holders(rollout), "bde");
  EXPECT_EQ(rollout.phase(), Phase::done);
  EXPECT_NE(rollout.words().find("2 that are away or sick"), std::string::npos);
  look_["a"].reachable = true;
  pass(rollout, 10min);
  EXPECT_EQ(holders(rollout), "abde");
}

TEST_F(RolloutTest, IsNotDoneBeforeSomebodyTriedIt) {
  for (auto& [sensor, seen] : look_)
    seen.reachable = false;
  Rollout rollout = begun();
  pass(rollout, 24h);
  EXPECT_EQ(rollout.phase(), Phase::running);
  look_["d"].reachable = true;
  pass(rollout, 7min);
  EXPECT_EQ(rollout.phase(), Phase::done);
}

TEST_F(RolloutTest, PausedBeginsNoMoreTurns) {
  Rollout rollout = begun();
  ASSERT_TRUE(rollout.pause("lunch", now_));
  EXPECT_FALSE(rollout.pause("twice", now_));
  pass(rollout, 1h);
  EXPECT_EQ(holders(rollout), "a");
  EXPECT_EQ(rollout.turns().at("a").stage, Stage::done);
  ASSERT_TRUE(rollout.resume(now_));
  pass(rollout, 1min);
  EXPECT_EQ(holders(rollout), "abc");
}

TEST_F(RolloutTest, WaitsForAPersonBeforeItMayDoMore) {
  plan_.widened = {"network: also raw sockets"};
  Rollout rollout = begun();
  EXPECT_EQ(rollout.phase(), Phase::approval);
  EXPECT_EQ(holders(rollout), "");
  EXPECT_NE(rollout.words().find("also raw sockets"), std::string::npos);
  ASSERT_TRUE(rollout.approve(now_));
  pass(rollout, 1min);
  EXPECT_EQ(holders(rollout), "a");
}

TEST_F(RolloutTest, WaitsAlsoForWhatASensorFindsWidenedAndCountsNoneOfThatTime) {
  Rollout rollout = begun();
  look_["a"] = {true, true, false, {}, {"network: 0.0.0.0/0"}};
  pass(rollout, 24h);
  EXPECT_EQ(rollout.phase(), Phase::approval);
  EXPECT_EQ(rollout.widened(), std::vector<std::string>{"network: 0.0.0.0/0"});
  ASSERT_TRUE(rollout.approve(now_));
  pass(rollout, 29min);  // it still says so, and does not get to it
  EXPECT_EQ(rollout.phase(), Phase::running);
  pass(rollout, 1min);
  EXPECT_EQ(rollout.phase(), Phase::reverting);
}

TEST_F(RolloutTest, IsNotKeptWaitingByOneThatWantsEverMore) {
  plan_.sensors.resize(2);
  Rollout rollout = begun();
  int approvals = 0;
  const auto lie = [&](const std::string& instance, int times) {
    for (int i = 0; i < times && rollout.phase() != Phase::reverting; ++i) {
      look_["a"] = {true, true, false, {}, {instance + ": " + std::to_string(i)}};
      pass(rollout, 1min);
      if (rollout.phase() != Phase::approval) continue;
      ASSERT_TRUE(rollout.approve(now_));
      ++approvals;
      auto kept = Rollout::parse(rollout.to_json());
      ASSERT_TRUE(kept);
      rollout = std::move(*kept);
    }
  };
  // Another instance may be found to want more later.
  lie("beacon_0", 1);
  lie("beacon_1", 1);
  EXPECT_EQ(approvals, 2);
  lie("beacon_0", 10);
  EXPECT_EQ(approvals, 2);
  EXPECT_EQ(rollout.phase(), Phase::reverting);
  EXPECT_EQ(rollout.turns().at("a").words, "it wants more than was approved: beacon_0: 1");
}

TEST_F(RolloutTest, StaysPausedAlsoWhereASensorWantsAnApprovalMeanwhile) {
  Rollout rollout = begun();
  ASSERT_TRUE(rollout.pause("lunch", now_));
  look_["a"] = {true, true, false, {}, {"beacon_0: more"}};
  pass(rollout, 1h);
  EXPECT_EQ(rollout.phase(), Phase::paused);
  EXPECT_EQ(rollout.words(), "lunch");
  EXPECT_EQ(rollout.widened(), std::vector<std::string>{"beacon_0: more"});
  ASSERT_TRUE(rollout.resume(now_));
  EXPECT_EQ(rollout.phase(), Phase::approval);
  ASSERT_TRUE(rollout.approve(now_));
  EXPECT_EQ(rollout.phase(), Phase::running);
}

TEST_F(RolloutTest, ForgetsWhoWasRevoked) {
  Rollout rollout = begun();
  look_.erase("a");
  pass(rollout, 1min);
  EXPECT_EQ(holders(rollout), "b");
  EXPECT_EQ(rollout.turns().at("a").stage, Stage::gone);
}

TEST_F(RolloutTest, EndsAtOnceWithoutSensors) {
  plan_.sensors.clear();
  EXPECT_EQ(begun().phase(), Phase::done);
}

TEST_F(RolloutTest, RefusesPlansThatCannotEnd) {
  plan_.max_parallel = 0;
  EXPECT_FALSE(Rollout::make(plan_, now_));
  plan_.max_parallel = 1;
  plan_.healthy_deadline = plan_.min_healthy_time;
  EXPECT_FALSE(Rollout::make(plan_, now_));
  plan_.healthy_deadline = 1h;
  plan_.sensors.push_back("a");
  EXPECT_FALSE(Rollout::make(plan_, now_));
}

TEST_F(RolloutTest, GoesOnFromWhatWasKept) {
  Rollout rollout = begun();
  pass(rollout, 7min);
  auto again = Rollout::parse(rollout.to_json());
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->to_json(), rollout.to_json());
  pass(*again, 20min);
  EXPECT_EQ(again->phase(), Phase::done);
  for (const char* text : {"", "{}", R"({"format":1})", R"({"format":1,"plan":{"sensors":5}})"})
    EXPECT_FALSE(Rollout::parse(text)) << text;
}

}  // namespace
}  // namespace beaconry
