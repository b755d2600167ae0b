// What goes wrong around the fleet: a full disk, a clock that was set back, sensors that lie, or
// go.
#include <gmock/gmock.h>

#include <future>
#include <stdexcept>

#include "fleet/test_use.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using test::key;
using test::kStart;
using testing::HasSubstr;
using testing::IsEmpty;
using Heard = SensorIdentity::Heard;
using Phase = Rollout::Phase;

class FleetFaultsTest : public test::FleetUse {
 protected:
  void run(const std::string& statement) {
    const auto done = database_->transact([&](SQLite::Database& tables) -> Result<void> {
      tables.exec(statement);
      return {};
    });
    ASSERT_TRUE(done) << done.error().message();
  }
  // As on a full disk: no row of it can be changed.
  void refuse(const std::string& table) {
    run("CREATE TRIGGER refuse BEFORE UPDATE ON " + table +
        " BEGIN SELECT RAISE(ABORT, 'full'); END");
  }
  void allow() { run("DROP TRIGGER refuse"); }
  Phase phase(std::uint64_t id) const { return fleet_->rollouts().summary(id).value().phase; }
  std::vector<std::string> targets() {
    return std::move(*(*FleetDocuments::open(*database_))->targets());
  }
  static std::string at(std::string report, const std::string& time) {
    const std::string is = "2026-11-20T08:00:00.000Z";
    return report.replace(report.find(is), is.size(), time);
  }

  void expect_nobody_is_judged_while_refused(const std::string& table) {
    enrol(1);
    enrol(2);
    ASSERT_TRUE(edit("fleet", document("aa")));
    report(1, running("aa"));
    report(2, running("aa"));
    RolloutPlan plan;
    plan.min_healthy_time = 60s;
    const auto id = roll_out("fleet", document("bb"), plan);
    ASSERT_TRUE(id);
    refuse(table);
    for (int i = 0; i < 5; ++i) {
      now_ += 20min;
      report(1, running(image(1)));
      report(2, running(image(2)));
      fleet_->tick(now_);
    }
    EXPECT_EQ(image(1) + image(2), "aaaa");
    allow();
    tick(1s);
    EXPECT_EQ(image(1) + image(2), "bbaa");
    // It has its whole time, too: that of the full disk was not its own.
    for (int i = 0; i < 20; ++i) {
      tick(1s);
      ASSERT_EQ(image(1) + image(2), "bbaa");
    }
    EXPECT_EQ(phase(*id), Phase::running);
    for (int i = 0; i < 10; ++i) {
      report(1, running(image(1)));
      report(2, running(image(2)));
      tick(31s);
    }
    EXPECT_EQ(image(1) + image(2), "bbbb");
    EXPECT_EQ(phase(*id), Phase::done);
  }
};

TEST_F(FleetFaultsTest, NobodyIsJudgedWhileARolloutsStepCannotBeKept) {
  expect_nobody_is_judged_while_refused("fleet_rollout");
}

TEST_F(FleetFaultsTest, NobodyIsJudgedWhileASensorsDocumentCannotBeKept) {
  expect_nobody_is_judged_while_refused("fleet_sensor");
}

TEST_F(FleetFaultsTest, AReplacementThatAFullDiskInterruptsLosesNoDocument) {
  enrol(1);
  ASSERT_TRUE(edit("sensor:s1", document("aa")));
  ASSERT_TRUE(fleet_->expect_replacement(key(1), "token", now_ + 1h, now_));
  refuse("fleet_sensor");
  EXPECT_FALSE(fleet_->replace("token", key(2), now_));
  allow();
  ASSERT_TRUE(fleet_->replace("token", key(2), now_));
  EXPECT_EQ(fleet_->find("s1")->fingerprint, key(2));
  EXPECT_EQ(image(2), "aa");
  ASSERT_TRUE(fleet_->act("beacon_0@s1", Fleet::Act::stop, "anna", now_));
  EXPECT_EQ(image(2), "aa");
}

TEST_F(FleetFaultsTest, ARolloutOfASensorsOwnLayerEndsWithTheSensor) {
  for (int i = 1; i <= 2; ++i) {
    enrol(i);
    ASSERT_TRUE(edit("sensor:s" + std::to_string(i), document("aa")));
    report(i, running("aa"));
  }
  const auto of_forgotten = roll_out("sensor:s1", document("bb"));
  const auto of_replaced = roll_out("sensor:s2", document("bb"));
  ASSERT_TRUE(of_forgotten && of_replaced);
  tick(1s);
  EXPECT_EQ(image(2), "bb");
  ASSERT_TRUE(fleet_->forget(key(1), now_));
  ASSERT_TRUE(fleet_->expect_replacement(key(2), "token", now_ + 1h, now_));
  ASSERT_TRUE(fleet_->replace("token", key(3), now_));
  EXPECT_EQ(image(3), "aa");
  for (int i = 0; i < 3; ++i)
    tick(1s);
  EXPECT_THAT(targets(), testing::ElementsAre("sensor:" + key(3)));
  EXPECT_THAT(told_, testing::Contains(HasSubstr(R"("state":"aborted")")));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(phase(*of_forgotten), Phase::aborted);
    EXPECT_EQ(phase(*of_replaced), Phase::aborted);
    EXPECT_FALSE(fleet_->rollouts().under_way("sensor:" + key(1)));
    reopen();
  }
  EXPECT_EQ(image(3), "aa");
}

TEST_F(FleetFaultsTest, AnOldReportThatSomebodyCarriedIsNoNews) {
  enrol(1);
  now_ += 24h;
  const auto hear = [&](const std::string& boot, std::uint64_t sequence, const std::string& time) {
    const auto text = at(test::report_text({}, boot, sequence), time);
    return fleet_->hear(key(1), text, "10.0.0.1", now_)->heard;
  };
  const auto carry = [&](const std::string& boot, std::uint64_t sequence, const std::string& time) {
    const auto text = at(test::report_text(R"("runtime_fault":"x")", boot, sequence), time);
    return fleet_->hear_file(key(1), text, now_)->heard;
  };
  EXPECT_EQ(hear("b1", 1, "2026-11-21T07:00:00.000Z"), Heard::news);
  EXPECT_EQ(hear("b2", 1, "2026-11-21T08:00:00.000Z"), Heard::news);
  // Of a boot that is over, of one that was never heard of, and of this one.
  EXPECT_EQ(carry("b1", 9, "2026-11-21T07:30:00.000Z"), Heard::stale);
  EXPECT_EQ(carry("b0", 9, "2026-11-20T07:30:00.000Z"), Heard::stale);
  EXPECT_EQ(carry("b2", 1, "2026-11-21T08:00:00.000Z"), Heard::stale);
  EXPECT_EQ(fleet_->find("s1")->memory.said, SensorState::healthy);
  EXPECT_EQ(hear("b2", 2, "2026-11-21T08:01:00.000Z"), Heard::news);
  // By its sequence the newer one, whatever its clock says; and a later boot.
  EXPECT_EQ(carry("b2", 3, "2026-11-19T08:00:00.000Z"), Heard::news);
  now_ += 24h;
  EXPECT_EQ(carry("b3", 1, "2026-11-22T07:00:00.000Z"), Heard::news);
  EXPECT_FALSE(fleet_->find("s1")->identity.conflict(now_));
}

TEST_F(FleetFaultsTest, AServersClockThatIsSetBackMakesNoDeadSensorLive) {
  enrol(1);
  report(1);
  tick(1s);
  for (const bool restarts : {false, true}) {
    report(1);
    now_ -= 1h;
    if (restarts) reopen();
    tick(0s);
    tick(kOfflineAfter);
    EXPECT_EQ(fleet_->stand(*fleet_->find("s1"), now_).state, SensorState::offline) << restarts;
  }
}

TEST_F(FleetFaultsTest, TheSameDocumentAgainGivesNobodyWhatItWentBackFrom) {
  for (int i = 1; i <= 3; ++i)
    enrol(i);
  ASSERT_TRUE(edit("fleet", document("aa")));
  RolloutPlan plan;
  plan.min_healthy_time = 60s;
  plan.max_failures = 1;
  for (int i = 1; i <= 3; ++i)
    report(i, running("aa"));
  const auto id = roll_out("fleet", document("bb"), plan);
  ASSERT_TRUE(id);
  for (int i = 0; i < 20; ++i) {
    for (int sensor : {1, 2, 3}) {
      const bool fails = sensor == 2 && image(sensor) == "bb";
      report(sensor, running(image(sensor), fails ? R"(,"update":{"state":"FAILED"})" : ""));
    }
    tick(31s);
  }
  ASSERT_EQ(phase(*id), Phase::done);
  ASSERT_EQ(image(1) + image(2) + image(3), "bbaabb");
  const auto again = edit("fleet", document("bb"));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->version, 2U);
  EXPECT_THAT(again->changed, IsEmpty());
  EXPECT_EQ(image(2), "aa");
}

TEST_F(FleetFaultsTest, AConfigurationThatFailedBeforeIsNoFailureOfTheNext) {
  enrol(1);
  const std::string failed =
      R"([{"name":"beacon_0","state":"RUNNING","image":"aa","config":{"state":"FAILED"}}])";
  ASSERT_TRUE(edit("fleet", document("aa")));
  report(1, failed);
  const auto id =
      roll_out("fleet", R"({"instances":{"beacon_0":{"image":"aa","config":{"every":5}}}})");
  ASSERT_TRUE(id);
  tick(1s);
  ASSERT_EQ(version(1), 2U);
  // The report in which it says that it took the version, and nothing is applied yet.
  report(1, failed);
  tick(1s);
  EXPECT_EQ(phase(*id), Phase::running);
  tick(5s);
  EXPECT_EQ(phase(*id), Phase::running);
  report(1, failed);
  tick(1s);
  EXPECT_EQ(phase(*id), Phase::reverting);
  EXPECT_THAT(fleet_->rollouts().summary(*id)->words, HasSubstr("its configuration was not taken"));
}

TEST_F(FleetFaultsTest, NobodyWaitsForTheApprovalOfWhatTheServerNeverWished) {
  enrol(1);
  ASSERT_TRUE(edit("fleet", document("aa")));
  report(1, running("aa"));
  const auto id = roll_out("fleet", document("bb"));
  ASSERT_TRUE(id);
  tick(1s);
  report(1, R"([{"name":"stray_7","state":"RUNNING","wants_approval":["capability net_admin"]}])");
  tick(1s);
  EXPECT_EQ(phase(*id), Phase::running);
}

TEST_F(FleetFaultsTest, ItsThreadOutlivesWhatThrows) {
  std::promise<void> came_again;
  int calls = 0;
  fleet_->start([&]() -> Timestamp {
    if (++calls == 1) throw std::runtime_error("no time");
    if (calls == 2) came_again.set_value();
    return kStart;
  });
  EXPECT_EQ(came_again.get_future().wait_for(60s), std::future_status::ready);
  fleet_->stop();
}

}  // namespace
}  // namespace beaconry
