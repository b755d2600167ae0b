#include "fleet/fleet_rollouts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>

#include "store/transaction.h"

namespace beaconry {
namespace {

using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;
using Phase = Rollout::Phase;
using Stage = Rollout::Stage;

const Timestamp kStart = *parse_rfc3339("2026-11-20T08:00:00Z");
const std::string kOld = R"({"instances":{"beacon_0":{"image":"old"}}})";
const std::string kNew = R"({"instances":{"beacon_0":{"image":"new"}}})";
const std::string kNewer = R"({"instances":{"beacon_0":{"image":"newer"}}})";

// Sensors that have at each look what they were wished before it, and that are well with it.
class World {
 public:
  explicit World(std::vector<std::string> names) : names_(std::move(names)) {
    database_ = std::move(*Database::open(""));
    restart();
    EXPECT_TRUE(documents_->put("fleet", kOld, "anna", "api", kStart));
  }

  // All that the server has in memory goes; what is on disk stays.
  void restart() {
    rollouts_.reset();
    documents_ = std::move(*FleetDocuments::open(*database_));
    rollouts_ = std::move(*FleetRollouts::open(*database_, *documents_));
  }

  std::uint64_t start(const std::string& after, RolloutPlan plan = {}) {
    plan.sensors = names_;
    plan.min_healthy_time = minutes(2);
    plan.healthy_deadline = minutes(10);
    const auto id = rollouts_->start({"fleet", after, "anna", plan}, now_);
    EXPECT_TRUE(id) << id.error().message();
    return id.value_or(0);
  }

  FleetRollouts::Changed step() {
    now_ += minutes(1);
    RolloutLook look;
    for (const std::string& name : names_) {
      RolloutSeen& seen = look[name];
      seen.reachable = !away_.contains(name);
      seen.healthy = true;
      seen.current = true;
      if (wished(name) == bad_) seen.failed = "the image does not start";
      const auto widened = widened_.find(wished(name));
      if (widened != widened_.end()) seen.widened = widened->second;
    }
    auto changed = rollouts_->step(look, now_);
    EXPECT_TRUE(changed) << changed.error().message();
    return changed.value_or(FleetRollouts::Changed{});
  }
  void steps(int count) {
    for (int i = 0; i < count; ++i)
      step();
  }

  std::string current() const { return (*documents_->current("fleet"))->json; }
  std::string wished(const std::string& name) const {
    const auto layer = rollouts_->layer_for("fleet", name);
    return layer ? *layer : current();
  }
  Phase phase(std::uint64_t id) const { return rollouts_->summary(id).value().phase; }

  std::vector<std::string> names_;
  std::set<std::string> away_;
  std::string bad_;
  std::map<std::string, std::vector<std::string>> widened_;
  Timestamp now_ = kStart;
  std::unique_ptr<Database> database_;
  std::unique_ptr<FleetDocuments> documents_;
  std::unique_ptr<FleetRollouts> rollouts_;
};

TEST(FleetRollouts, GiveTheNextDocumentOneSensorAfterTheOther) {
  World world({"a", "b"});
  const auto id = world.start(kNew);
  EXPECT_EQ(world.rollouts_->under_way("fleet"), id);
  EXPECT_EQ(world.wished("a"), kOld);
  EXPECT_THAT(world.step().sensors, ElementsAre("a"));
  EXPECT_EQ(world.wished("a"), kNew);
  EXPECT_EQ(world.wished("b"), kOld);
  EXPECT_EQ(world.current(), kOld);
  EXPECT_THAT(world.rollouts_->in_turn(), ElementsAre("a"));
  EXPECT_THAT(world.rollouts_->with_sensor("b"), ElementsAre(id));
  world.steps(20);
  EXPECT_EQ(world.phase(id), Phase::done);
  EXPECT_EQ(world.current(), kNew);
  const auto held = world.documents_->current("fleet");
  EXPECT_EQ((*held)->how, "rollout");
  EXPECT_EQ((*held)->who, "anna");
  EXPECT_FALSE(world.rollouts_->under_way("fleet"));
  EXPECT_FALSE(world.rollouts_->layer_for("fleet", "a"));
  EXPECT_EQ(world.rollouts_->summary(id)->count(Stage::done), 2U);
}

TEST(FleetRollouts, TellAllWhomTheLayerReachesOnceItIsDone) {
  World world({"a"});
  world.start(kNew);
  std::set<std::string> targets;
  for (int i = 0; i < 10; ++i)
    targets.merge(world.step().targets);
  EXPECT_THAT(targets, ElementsAre("fleet"));
  EXPECT_TRUE(world.step().is_empty());
}

TEST(FleetRollouts, KeepTheLayerToThemselves) {
  World world({"a"});
  const auto id = world.start(kNew);
  EXPECT_FALSE(world.rollouts_->start({"fleet", kNewer, "ben", {}}, world.now_));
  ASSERT_TRUE(world.rollouts_->abort(id, "ben", world.now_));
  world.steps(3);
  EXPECT_EQ(world.phase(id), Phase::aborted);
  EXPECT_EQ(world.rollouts_->summary(id)->words, "aborted by ben");
  EXPECT_FALSE(world.rollouts_->abort(id, "ben", world.now_));
  EXPECT_FALSE(world.rollouts_->start({"fleet", kOld, "ben", {}}, world.now_));
  EXPECT_FALSE(world.rollouts_->start({"fleet", "[]", "ben", {}}, world.now_));
  EXPECT_FALSE(world.rollouts_->pause(id + 1, "ben", world.now_));
  EXPECT_TRUE(world.rollouts_->start({"fleet", kNewer, "ben", {}}, world.now_));
}

TEST(FleetRollouts, TakeBackWhatASensorSaysItCannotTake) {
  World world({"a", "b", "c"});
  world.bad_ = kNew;
  const auto id = world.start(kNew);
  world.step();
  EXPECT_EQ(world.wished("a"), kNew);
  // It says so at the next look: not only at its deadline.
  EXPECT_THAT(world.step().sensors, ElementsAre("a"));
  EXPECT_EQ(world.phase(id), Phase::reverting);
  EXPECT_EQ(world.wished("a"), kOld);
  world.steps(2);
  EXPECT_EQ(world.phase(id), Phase::reverted);
  EXPECT_THAT(world.rollouts_->summary(id)->words, testing::HasSubstr("the image does not start"));
  EXPECT_EQ(world.rollouts_->summary(id)->count(Stage::waiting), 2U);
  EXPECT_EQ(world.current(), kOld);
}

TEST(FleetRollouts, LetWhoWasAwayKeepWhatWasUntilItsTurnComes) {
  World world({"a", "b"});
  world.away_ = {"b"};
  const auto id = world.start(kNew);
  world.steps(10);
  EXPECT_EQ(world.phase(id), Phase::done);
  EXPECT_EQ(world.wished("a"), kNew);
  EXPECT_EQ(world.wished("b"), kOld);
  EXPECT_EQ(world.wished("newcomer"), kNew);
  world.restart();
  EXPECT_EQ(world.wished("b"), kOld);
  world.away_.clear();
  EXPECT_THAT(world.step().sensors, ElementsAre("b"));
  EXPECT_EQ(world.wished("b"), kNew);
  world.steps(10);
  EXPECT_EQ(world.rollouts_->summary(id)->count(Stage::done), 2U);
  EXPECT_THAT(world.rollouts_->with_sensor("b"), IsEmpty());
}

TEST(FleetRollouts, LetGoOnceTheLayerHasAnotherDocument) {
  World world({"a", "b"});
  world.away_ = {"b"};
  world.start(kNew);
  world.steps(10);
  EXPECT_EQ(world.wished("b"), kOld);
  ASSERT_TRUE(world.documents_->put("fleet", kNewer, "ben", "api", world.now_));
  EXPECT_EQ(world.wished("b"), kNewer);
  world.restart();
  EXPECT_EQ(world.wished("b"), kNewer);
  world.away_.clear();
  EXPECT_TRUE(world.step().is_empty());
}

TEST(FleetRollouts, AskTheDatabaseForNoSensorsLayer) {
  World world({"a", "b"});
  world.away_ = {"b"};
  world.start(kNew);
  world.steps(10);
  const auto run = [&](const char* statement) {
    ASSERT_TRUE(world.database_->transact([&](SQLite::Database& tables) -> Result<void> {
      tables.exec(statement);
      return {};
    }));
  };
  run("ALTER TABLE fleet_document RENAME TO away");
  EXPECT_EQ(*world.rollouts_->layer_for("fleet", "b"), kOld);
  EXPECT_EQ(world.rollouts_->layer_for("fleet", "b"), world.rollouts_->layer_for("fleet", "b"));
  run("ALTER TABLE away RENAME TO fleet_document");
  ASSERT_TRUE(world.documents_->put("fleet", kNewer, "ben", "api", world.now_));
  run("ALTER TABLE fleet_document RENAME TO away");
  EXPECT_FALSE(world.rollouts_->layer_for("fleet", "b"));
}

TEST(FleetRollouts, LeaveWhoMissedTwoOfThemWithWhatItHas) {
  World world({"a", "b"});
  world.away_ = {"b"};
  const auto first = world.start(kNew);
  world.steps(10);
  const auto second = world.start(kNewer);
  world.steps(2);
  EXPECT_EQ(world.wished("b"), kOld);
  EXPECT_EQ(world.wished("newcomer"), kNew);
  // The second is given up: the first goes on where it was.
  ASSERT_TRUE(world.rollouts_->abort(second, "ben", world.now_));
  world.steps(5);
  EXPECT_EQ(world.wished("a"), kNew);
  EXPECT_EQ(world.wished("b"), kOld);
  const auto third = world.start(kNewer);
  world.steps(10);
  world.restart();
  EXPECT_EQ(world.phase(third), Phase::done);
  EXPECT_EQ(world.wished("b"), kOld);
  world.away_.clear();
  world.steps(10);
  EXPECT_EQ(world.wished("b"), kNewer);
  EXPECT_EQ(world.rollouts_->summary(first)->count(Stage::waiting), 1U);
}

TEST(FleetRollouts, WriteAnApprovalIntoTheLayersDocument) {
  World world({"a", "b"});
  RolloutPlan plan;
  plan.widened = {"capability net_admin"};
  const auto id = world.start(kNew, plan);
  world.step();
  EXPECT_EQ(world.phase(id), Phase::approval);
  EXPECT_EQ(world.wished("a"), kOld);
  EXPECT_THAT(world.rollouts_->summary(id)->widened, ElementsAre("capability net_admin"));
  ASSERT_TRUE(world.rollouts_->approve(id, {{"beacon_0", "d1"}, {"other_0", "d2"}}, world.now_));
  world.steps(20);
  EXPECT_EQ(world.current(), R"({"instances":{"beacon_0":{"approved":"d1","image":"new"}}})");
}

TEST(FleetRollouts, AskForAnApprovalThatOnlyALatecomerNeeds) {
  World world({"a", "b"});
  world.away_ = {"b"};
  const auto id = world.start(kNew);
  world.steps(10);
  world.away_.clear();
  world.widened_[kNew] = {"the uplink socket"};
  world.steps(2);
  EXPECT_EQ(world.phase(id), Phase::approval);
  EXPECT_EQ(world.wished("newcomer"), kNew);
  const auto changed = world.rollouts_->approve(id, {{"beacon_0", "d1"}}, world.now_);
  ASSERT_TRUE(changed);
  EXPECT_THAT(changed->targets, ElementsAre("fleet"));
  world.steps(10);
  EXPECT_EQ(world.phase(id), Phase::done);
  EXPECT_THAT(world.current(), testing::HasSubstr("d1"));
  EXPECT_EQ(world.wished("b"), world.current());
}

TEST(FleetRollouts, PutTheDocumentBackThatALatecomerMadeThemGiveUp) {
  World world({"a", "b"});
  world.away_ = {"b"};
  const auto id = world.start(kNew);
  world.steps(10);
  EXPECT_EQ(world.current(), kNew);
  world.away_.clear();
  world.widened_[kNew] = {"the uplink socket"};
  world.steps(2);
  ASSERT_TRUE(world.rollouts_->abort(id, "ben", world.now_));
  world.steps(5);
  EXPECT_EQ(world.phase(id), Phase::aborted);
  EXPECT_EQ(world.current(), kOld);
  EXPECT_EQ(world.wished("a"), kOld);
}

TEST(FleetRollouts, MakeUpForWhatAPowerCutLeftOut) {
  for (const bool put : {false, true}) {
    World world({"a"});
    const auto id = world.start(kNew);
    world.steps(10);
    EXPECT_EQ(world.phase(id), Phase::done);
    // Done, and the light went out before its document was the layer's, or right after.
    ASSERT_TRUE(world.database_->transact([&](SQLite::Database& tables) -> Result<void> {
      tables.exec("UPDATE fleet_rollout SET version = 0");
      if (!put) tables.exec("DELETE FROM fleet_document WHERE version = 2");
      return {};
    }));
    world.restart();
    EXPECT_EQ(world.wished("a"), kNew);
    EXPECT_EQ(world.rollouts_->under_way("fleet"), id);
    EXPECT_THAT(world.step().targets, ElementsAre("fleet"));
    EXPECT_EQ(world.current(), kNew);
    EXPECT_EQ((*world.documents_->current("fleet"))->number, 2U);
    EXPECT_FALSE(world.rollouts_->under_way("fleet"));
  }
}

TEST(FleetRollouts, KeepTheNewestThatEnded) {
  World world({"a"});
  std::uint64_t first = 0;
  for (std::size_t i = 0; i <= FleetRollouts::kMostKept; ++i) {
    const auto id = world.start(i % 2 == 0 ? kNew : kNewer);
    if (i == 0) first = id;
    ASSERT_TRUE(world.rollouts_->abort(id, "anna", world.now_));
    world.step();
  }
  EXPECT_EQ(world.rollouts_->list().size(), FleetRollouts::kMostKept);
  EXPECT_FALSE(world.rollouts_->show(first));
  world.restart();
  EXPECT_EQ(world.rollouts_->list().size(), FleetRollouts::kMostKept);
  EXPECT_EQ(world.rollouts_->show(world.rollouts_->list().front().id)->after, kNew);
}

// Whatever happens, a server that was restarted between any two looks ends as one that was not.
RC_GTEST_PROP(FleetRolloutsProperty, ARestartChangesNothing, ()) {
  const auto canary = *rc::gen::inRange<std::size_t>(0, 3);
  const auto parallel = *rc::gen::inRange<std::size_t>(1, 4);
  const auto failures = *rc::gen::inRange<std::size_t>(0, 3);
  const bool revert = *rc::gen::arbitrary<bool>();
  std::vector<std::unique_ptr<World>> worlds;
  for (int i = 0; i < 2; ++i) {
    worlds.push_back(std::make_unique<World>(std::vector<std::string>{"a", "b", "c", "d"}));
    RolloutPlan plan;
    plan.canary = canary;
    plan.max_parallel = parallel;
    plan.max_failures = failures;
    plan.auto_revert = revert;
    worlds.back()->start(kNew, plan);
  }
  for (int i = 0; i < 5; ++i) {
    const unsigned mask = *rc::gen::inRange(0U, 16U);
    std::set<std::string> away;
    for (unsigned bit = 0; bit < 4; ++bit) {
      if ((mask >> bit & 1U) != 0) away.insert(worlds[0]->names_[bit]);
    }
    const int event = *rc::gen::inRange(0, 12);
    for (auto& world : worlds) {
      world->away_ = away;
      world->bad_ = event == 0 ? kNew : "";
      const auto id = world->rollouts_->list().front().id;
      if (event == 1) (void)world->rollouts_->pause(id, "anna", world->now_);
      if (event == 2) (void)world->rollouts_->resume(id, world->now_);
      if (event == 3) (void)world->rollouts_->abort(id, "anna", world->now_);
      if (event == 4 && !world->rollouts_->under_way("fleet"))
        world->start(world->current() == kNewer ? kNew : kNewer);
      world->steps(2);
    }
    worlds[1]->restart();
    RC_ASSERT(worlds[0]->current() == worlds[1]->current());
    for (const std::string& name : worlds[0]->names_)
      RC_ASSERT(worlds[0]->wished(name) == worlds[1]->wished(name));
    for (const auto& one : worlds[0]->rollouts_->list()) {
      const auto other = worlds[1]->rollouts_->summary(one.id);
      RC_ASSERT(other && other->phase == one.phase && other->counts == one.counts &&
                other->words == one.words);
    }
  }
}

}  // namespace
}  // namespace beaconry
