#include <gmock/gmock.h>

#include "fleet/test_use.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using test::key;
using test::kStart;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FleetUseTest : public test::FleetUse {};

TEST_F(FleetUseTest, AGroupsDocumentReachesThoseWhoseLabelsFit) {
  enrol(1, {{"site", "oulu"}});
  enrol(2, {{"site", "turku"}});
  group("oulu", "site=oulu", 5);
  ASSERT_TRUE(edit("group:oulu", R"({"instances":{"beacon_0":{"image":"aa"}}})"));
  EXPECT_EQ(wished(1)["instances"]["beacon_0"]["image"], "aa");
  EXPECT_EQ(version(2), 0U);  // nothing was ever wished of it: no document that says so
  // Another label is another group; and a group may speak of others.
  ASSERT_TRUE(fleet_->change_labels(key(2), {{"site", "oulu"}}, now_));
  EXPECT_EQ(wished(2)["instances"]["beacon_0"]["image"], "aa");
  group("oulu", "site=turku", 5);
  EXPECT_EQ(wished(1)["instances"], Json::object());
  EXPECT_EQ(version(1), 2U);
  ASSERT_TRUE(fleet_->remove_group("oulu", "anna", now_));
  group("oulu", "site");
  EXPECT_EQ(wished(1)["instances"], Json::object());
  EXPECT_FALSE(fleet_->remove_group("no", "anna", now_));
}

TEST_F(FleetUseTest, ATrialTellsWhatWouldChangeAndChangesNothing) {
  enrol(1);
  ASSERT_TRUE(edit("fleet", R"({"instances":{"beacon_0":{"image":"aa"}}})"));
  const auto tried = edit("fleet", R"({"instances":{"beacon_0":{"image":"bb"}}})", true);
  ASSERT_TRUE(tried);
  EXPECT_EQ(tried->sensors, 1U);
  ASSERT_EQ(tried->changed.size(), 1U);
  EXPECT_EQ(tried->changed[0].first, "s1");
  EXPECT_THAT(tried->changed[0].second, ElementsAre(R"(/instances/beacon_0/image: "aa" -> "bb")"));
  EXPECT_EQ(version(1), 1U);
  EXPECT_EQ(fleet_->document("fleet", {})->version.number, 1U);
}

TEST_F(FleetUseTest, LabelsAreChangedOneByOneAndTheOthersStay) {
  enrol(1, {{"site", "oulu"}});
  ASSERT_TRUE(fleet_->change_labels(key(1), {{"role", "lab"}}, now_));
  ASSERT_TRUE(fleet_->change_labels(key(1), {{"spare", "1"}, {"none", {}}}, now_));
  EXPECT_EQ(fleet_->find("s1")->labels,
            (Labels{{"role", "lab"}, {"site", "oulu"}, {"spare", "1"}}));
  ASSERT_TRUE(fleet_->change_labels(key(1), {{"site", {}}}, now_));
  EXPECT_EQ(fleet_->find("s1")->labels, (Labels{{"role", "lab"}, {"spare", "1"}}));
}

TEST_F(FleetUseTest, ATrialOfLabelsOrAGroupTellsWhichInstancesGo) {
  for (int i = 1; i <= 2; ++i)
    enrol(i, {{"site", "oulu"}});
  group("oulu", "site=oulu");
  ASSERT_TRUE(edit("group:oulu", R"({"instances":{"beacon_0":{"image":"aa"}}})"));
  const auto relabelled = fleet_->change_labels(key(1), {{"site", {}}}, now_, true);
  ASSERT_TRUE(relabelled);
  EXPECT_THAT(relabelled->lost, ElementsAre("beacon_0@s1"));
  EXPECT_EQ(relabelled->changed.size(), 1U);
  const auto chosen = fleet_->set_group({"oulu", *Selector::parse("site=turku"), 0}, now_, true);
  ASSERT_TRUE(chosen);
  EXPECT_THAT(chosen->lost, ElementsAre("beacon_0@s1", "beacon_0@s2"));
  const auto removed = fleet_->remove_group("oulu", "anna", now_, true);
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->sensors, 2U);
  EXPECT_THAT(removed->lost, ElementsAre("beacon_0@s1", "beacon_0@s2"));
  EXPECT_EQ(fleet_->find("s1")->labels.size(), 1U);
  EXPECT_EQ(wished(1)["instances"].size(), 1U);
  const auto replaced = edit("group:oulu", R"({"instances":{"other_0":{"image":"aa"}}})");
  ASSERT_TRUE(replaced) << replaced.error().message();
  EXPECT_THAT(replaced->lost, ElementsAre("beacon_0@s1", "beacon_0@s2"));
}

TEST_F(FleetUseTest, ARollbackMayBeBoundToTheVersionThatWasLookedAt) {
  enrol(1);
  ASSERT_TRUE(edit("fleet", R"({"instances":{"beacon_0":{"image":"aa"}}})"));
  ASSERT_TRUE(edit("fleet", R"({"instances":{"beacon_0":{"image":"bb"}}})"));
  const auto late = fleet_->roll_back("fleet", 1, "ben", now_, 1);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::conflict);
  EXPECT_TRUE(fleet_->roll_back("fleet", 1, "ben", now_, 2));
}

TEST_F(FleetUseTest, APatchChangesALayerAndARollbackIsANewVersion) {
  enrol(1);
  ASSERT_TRUE(edit("sensor:s1", R"({"instances":{"beacon_0":{"image":"aa","running":false}}})"));
  Fleet::Edit patch;
  patch.target = "sensor:s1";
  patch.document = R"({"instances":{"beacon_0":{"running":null,"config":{"every":5}}}})";
  patch.is_patch = true;
  patch.who = "anna";
  ASSERT_TRUE(fleet_->edit(patch, now_));
  EXPECT_EQ(wished(1)["instances"]["beacon_0"],
            (Json{{"image", "aa"}, {"config", {{"every", 5}}}}));
  const auto back = fleet_->roll_back("sensor:s1", 1, "ben", now_);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->version, 3U);
  EXPECT_EQ(wished(1)["instances"]["beacon_0"]["running"], false);
  EXPECT_EQ(version(1), 3U);
  const auto history = fleet_->history("sensor:s1");
  ASSERT_TRUE(history && history->size() == 3U);
  EXPECT_EQ((*history)[0].how, "rollback");
  EXPECT_EQ((*history)[0].who, "ben");
  EXPECT_FALSE(fleet_->roll_back("sensor:s1", 9, "ben", now_));
}

TEST_F(FleetUseTest, WhatACrashLeftUndoneIsMadeAtTheStart) {
  enrol(1);
  ASSERT_TRUE(edit("fleet", R"({"instances":{"beacon_0":{"image":"aa"}}})"));
  fleet_.reset();
  // The document is on disk, what follows from it is not.
  auto documents = std::move(*FleetDocuments::open(*database_));
  ASSERT_TRUE(
      documents->put("fleet", R"({"instances":{"beacon_0":{"image":"bb"}}})", "a", "api", now_));
  reopen();
  EXPECT_EQ(wished(1)["instances"]["beacon_0"]["image"], "bb");
  EXPECT_EQ(version(1), 2U);
  reopen();
  EXPECT_EQ(version(1), 2U);
}

TEST_F(FleetUseTest, ASensorWhoseLayersDoNotFitKeepsWhatItHasAndSaysSo) {
  group("ot", "ot");
  enrol(1, {{"ot", "1"}});
  ASSERT_TRUE(edit("group:ot", R"({"instances":{"beacon_0":{"image":"aa"}}})"));
  ASSERT_TRUE(edit("fleet", R"({"instances":{"beacon_0":{"running":false}}})"));
  const auto refused = fleet_->change_labels(key(1), {{"ot", {}}}, now_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("s1: fleet /instances/beacon_0"));
  EXPECT_FALSE(fleet_->remove_group("ot", "anna", now_));
  // One that joins has no labels yet.
  ASSERT_TRUE(fleet_->enrol(key(2), "s2", now_));
  ASSERT_TRUE(fleet_->hear(key(2), test::report_text(), "10.0.0.2", now_));
  const SensorStanding standing = fleet_->stand(*fleet_->find("s2"), now_);
  EXPECT_EQ(standing.state, SensorState::unhealthy);
  EXPECT_THAT(standing.why, HasSubstr("fleet /instances/beacon_0"));
  // It hinders no other change, and fits again once it is labelled.
  ASSERT_TRUE(edit("fleet", R"({"instances":{"beacon_0":{"running":true}}})"));
  ASSERT_TRUE(fleet_->change_labels(key(2), {{"ot", "1"}}, now_));
  EXPECT_EQ(wished(2)["instances"]["beacon_0"]["image"], "aa");
  EXPECT_NE(fleet_->stand(*fleet_->find("s2"), now_).state, SensorState::unhealthy);
}

TEST_F(FleetUseTest, ARolloutReachesOneAfterTheOtherAndThenHolds) {
  for (int i = 1; i <= 3; ++i)
    enrol(i);
  ASSERT_TRUE(edit("fleet", R"({"instances":{"beacon_0":{"image":"aa"}}})"));
  for (int i = 1; i <= 3; ++i)
    report(i, running("aa"));
  RolloutPlan plan;
  plan.min_healthy_time = 60s;
  plan.max_parallel = 2;
  const auto id = roll_out("fleet", document("bb"), plan);
  ASSERT_TRUE(id) << id.error().message();
  now_ += 1s;
  fleet_->tick(now_);
  EXPECT_EQ(image(1) + image(2) + image(3), "bbaaaa");  // the canary
  const auto other = edit("fleet", "{}");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::conflict);
  // It has the version, and does not follow it yet: that is no success.
  report(1, running("aa"));
  now_ += 90s;
  fleet_->tick(now_);
  EXPECT_EQ(image(2), "aa");
  for (int round = 0; round < 4; ++round) {
    for (int i = 1; i <= 3; ++i)
      report(i, running(image(i)));
    fleet_->tick(now_);
    now_ += 61s;
    for (int i = 1; i <= 3; ++i)
      report(i, running(image(i)));
    fleet_->tick(now_);
  }
  EXPECT_EQ(image(1) + image(2) + image(3), "bbbbbb");
  EXPECT_EQ(fleet_->rollouts().summary(*id)->phase, Rollout::Phase::done);
  EXPECT_EQ(fleet_->document("fleet", {})->version.how, "rollout");
  EXPECT_THAT(told_, Contains(HasSubstr(R"("what":"rollout")")));
  const std::uint64_t held = version(1);
  reopen();
  EXPECT_EQ(version(1), held);
  EXPECT_TRUE(edit("fleet", "{}"));
}

TEST_F(FleetUseTest, ABadImageIsTakenBack) {
  enrol(1);
  enrol(2);
  ASSERT_TRUE(edit("fleet", R"({"instances":{"beacon_0":{"image":"aa"}}})"));
  report(1, running("aa"));
  report(2, running("aa"));
  const auto id = roll_out("fleet", document("bad"));
  ASSERT_TRUE(id);
  now_ += 1s;
  fleet_->tick(now_);
  EXPECT_EQ(wished(1)["instances"]["beacon_0"]["image"], "bad");
  report(1, running("aa", R"(,"update":{"state":"FAILED","reason":"not healthy"})"));
  now_ += 1s;
  fleet_->tick(now_);
  EXPECT_EQ(wished(1)["instances"]["beacon_0"]["image"], "aa");
  report(1, running("aa"));
  now_ += 1s;
  fleet_->tick(now_);
  EXPECT_EQ(fleet_->rollouts().summary(*id)->phase, Rollout::Phase::reverted);
  EXPECT_EQ(version(2), 1U);
  EXPECT_EQ(version(1), 3U);
}

TEST_F(FleetUseTest, AnotherMachineTakesASensorsPlaceAlsoOverACrash) {
  enrol(1, {{"site", "oulu"}});
  ASSERT_TRUE(edit("sensor:s1", R"({"instances":{"beacon_0":{"image":"aa"}}})"));
  ASSERT_TRUE(fleet_->expect_replacement(key(1), "token", now_ + 1h, now_));
  EXPECT_FALSE(*fleet_->replace("another", key(2), now_));
  const auto replaced = fleet_->replace("token", key(2), now_);
  ASSERT_TRUE(replaced && *replaced);
  EXPECT_EQ((*replaced)->sensor, key(1));
  EXPECT_FALSE(fleet_->find(key(1)));
  const auto sensor = fleet_->find("s1");
  ASSERT_TRUE(sensor);
  EXPECT_EQ(sensor->fingerprint, key(2));
  EXPECT_EQ(sensor->labels, (Labels{{"site", "oulu"}}));
  EXPECT_EQ(wished(2)["instances"]["beacon_0"]["image"], "aa");
  // Until the old key is known to be revoked it is to be done again, which loses nothing.
  reopen();
  ASSERT_EQ(fleet_->replacements_begun()->size(), 1U);
  ASSERT_TRUE(fleet_->replace("token", key(2), now_));
  EXPECT_EQ(fleet_->find("s1")->fingerprint, key(2));
  EXPECT_EQ(fleet_->document("sensor:s1", {})->version.number, 1U);
  ASSERT_TRUE(fleet_->replaced("token"));
  EXPECT_THAT(*fleet_->replacements_begun(), IsEmpty());
}

TEST_F(FleetUseTest, AnInstanceIsChangedInItsSensorsOwnLayer) {
  enrol(1);
  ASSERT_TRUE(edit("fleet", R"({"instances":{"beacon_0":{"image":"aa"}}})"));
  ASSERT_TRUE(fleet_->act("beacon_0@s1", Fleet::Act::stop, "anna", now_));
  EXPECT_EQ(wished(1)["instances"]["beacon_0"]["running"], false);
  ASSERT_TRUE(fleet_->act("beacon_0@s1", Fleet::Act::restart, "anna", now_));
  ASSERT_TRUE(fleet_->act("beacon_0@s1", Fleet::Act::restart, "anna", now_));
  EXPECT_EQ(wished(1)["instances"]["beacon_0"]["running"], true);
  EXPECT_EQ(wished(1)["instances"]["beacon_0"]["restarts"], 2);
  ASSERT_TRUE(fleet_->approve("beacon_0@s1", "d1", "anna", now_));
  EXPECT_EQ(wished(1)["instances"]["beacon_0"]["approved"], "d1");
  EXPECT_EQ(fleet_->document("fleet", {})->version.number, 1U);
  for (const char* none : {"beacon_1@s1", "beacon_0@s9", "beacon_0"})
    EXPECT_FALSE(fleet_->act(none, Fleet::Act::start, "anna", now_)) << none;
}

TEST_F(FleetUseTest, PeopleHearOfASensorWhenSomethingOfItChanges) {
  enrol(1);
  fleet_->tick(now_);
  report(1, running("aa"));
  now_ += 1s;
  fleet_->tick(now_);
  EXPECT_THAT(told_, Contains(R"({"name":"s1","state":"healthy","what":"sensor"})"));
  told_.clear();
  report(1, running("aa"));
  now_ += 1s;
  fleet_->tick(now_);
  EXPECT_THAT(told_, IsEmpty());
  now_ += kOfflineAfter;
  fleet_->tick(now_);
  EXPECT_THAT(told_, Contains(HasSubstr(R"("state":"offline")")));
}

TEST_F(FleetUseTest, ARestartOfTheServerMakesNobodyOffline) {
  enrol(1);
  enrol(2);
  report(2);
  now_ += 10min;
  report(1);
  now_ += 1h;
  reopen();
  const auto standing = [&](int number) { return fleet_->stand(*fleet_->find(key(number)), now_); };
  EXPECT_EQ(standing(1).state, SensorState::healthy);
  EXPECT_TRUE(standing(1).late);
  EXPECT_EQ(standing(2).state, SensorState::offline);  // it was before
  now_ += kLateAfter;
  EXPECT_EQ(standing(1).state, SensorState::offline);
  report(1);
  EXPECT_FALSE(standing(1).late);
}

TEST_F(FleetUseTest, AReportThatWasCarriedTellsOfItsOwnTime) {
  enrol(1);
  now_ += 24h;
  const auto carried = fleet_->hear_file(key(1), test::report_text(), now_);
  ASSERT_TRUE(carried);
  EXPECT_EQ(carried->heard, SensorIdentity::Heard::news);
  const auto sensor = fleet_->find("s1");
  EXPECT_EQ(sensor->memory.heard, kStart);  // of its own clock
  EXPECT_EQ(fleet_->stand(*sensor, now_).state, SensorState::offline);
  EXPECT_FALSE(sensor->clock_skew);
}

}  // namespace
}  // namespace beaconry
