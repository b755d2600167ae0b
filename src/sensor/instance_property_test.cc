#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sensor/test_world.h"

namespace beaconry {
namespace {

using test::kBetter, test::kCrashing, test::kGood, test::kSick, test::World;

// Whatever is wished, fails and dies on the way: when the faults end, what holds is what was wished
// last, and nothing is left over.
RC_GTEST_PROP(InstanceProperty, FaultsAndKillsConvergeToTheWish, ()) {
  World world;
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1000));
  int fault = 0;
  world.runtime.before = [&](const std::string&, const std::string& name) -> Result<void> {
    if (fault == 1) return fail(ErrorKind::io, "reach", name, "the runtime is away");
    if (fault == 2 && name.rfind("beacon", 0) == 0) {
      fault = 0;
      return fail(ErrorKind::io, "do", name, "it failed");
    }
    return {};
  };
  world.runtime.after = [&](const std::string&, const std::string& name) -> Result<void> {
    if (fault != 3) return {};
    fault = 0;
    return fail(ErrorKind::io, "do", name, "done, but the answer got lost");
  };
  for (const int roll : steps) {
    fault = roll % 7 < 4 ? roll % 7 : 0;
    const std::string images[] = {kGood, kBetter, kCrashing, kSick};
    if (roll % 11 == 0) world.set_wish(images[(roll / 11) % 4], roll % 2 == 0);
    if (roll % 37 == 0) world.wish.reset();
    if (roll % 13 == 0) {
      world.runtime.with([](test::FakeRuntime& all) { all.halt("beacon-0"); });
    }
    const bool killed = roll % 5 == 0;
    world.daemon->work(world.wish, world.now, killed);
    if (killed || world.daemon->forgotten) world.restart();
    if (roll % 17 == 0) {
      world.runtime.with([](test::FakeRuntime& all) {
        if (all.boxes.count("beacon-0") != 0) all.boxes["beacon-0"].labels.clear();  // half made
      });
    }
    world.now += std::chrono::seconds{roll % 90};
  }
  fault = 0;
  if (world.daemon->forgotten) world.restart();
  world.settle();
  const auto& boxes = world.runtime.boxes;
  if (!world.wish) {
    RC_ASSERT(boxes.empty());
    RC_ASSERT(world.runtime.held_volumes.empty());
    RC_ASSERT(world.network.made.empty());
    RC_ASSERT(world.daemon->forgotten);
    return;
  }
  const Instance& instance = world.daemon->instance();
  if (world.wish->running && (world.wish->image == kGood || world.wish->image == kBetter)) {
    const bool rejected = instance.memory().rejected_image == world.wish->image;
    RC_ASSERT(boxes.size() == 1U);
    RC_ASSERT(boxes.count("beacon-0") == 1U);
    const auto& box = boxes.at("beacon-0");
    // A fault on trial may have taken it back to what was there: then that runs.
    RC_ASSERT(box.fingerprint == world.wish->image || rejected);
    if (box.fingerprint == world.wish->image || box.fingerprint != kCrashing) {
      RC_ASSERT(box.running);
      RC_ASSERT(instance.state() == InstanceState::running);
      RC_ASSERT(world.network.attached.at("beacon_0") == box.process);
    }
  }
  if (!world.wish->running) {
    RC_ASSERT(boxes.count("beacon-0") == 1U);
    RC_ASSERT(!boxes.at("beacon-0").running);
    RC_ASSERT(instance.state() == InstanceState::installed);
    RC_ASSERT(world.network.made.empty());
  }
}

TEST(InstanceLife, InstallsStartsStopsAndGoes) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  EXPECT_EQ(world.daemon->instance().state(), InstanceState::running);
  EXPECT_TRUE(world.runtime.boxes["beacon-0"].running);
  EXPECT_EQ(world.runtime.starts["beacon-0"], 1);
  world.set_wish(kGood, false);
  world.settle();
  EXPECT_EQ(world.daemon->instance().state(), InstanceState::installed);
  EXPECT_TRUE(world.network.made.empty());
  world.wish.reset();
  world.settle();
  EXPECT_TRUE(world.daemon->forgotten);
  EXPECT_TRUE(world.runtime.boxes.empty());
  EXPECT_TRUE(world.runtime.held_volumes.empty());
}

TEST(InstanceLife, ARunningOneIsTakenOverWithoutARestart) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  world.network.attached.clear();
  world.restart();
  world.settle();
  EXPECT_EQ(world.runtime.starts["beacon-0"], 1);
  EXPECT_EQ(world.network.attached["beacon_0"], world.runtime.boxes["beacon-0"].process);
  EXPECT_EQ(world.daemon->instance().state(), InstanceState::running);
}

TEST(InstanceLife, OneThatEndsAgainAndAgainIsBrokenUntilAnotherWish) {
  World world;
  world.set_wish(kCrashing, true);
  world.settle();
  const Instance& instance = world.daemon->instance();
  EXPECT_EQ(instance.state(), InstanceState::broken);
  EXPECT_EQ(instance.memory().failures, 5U);
  EXPECT_NE(instance.memory().last_log.find("I crash"), std::string::npos);
  EXPECT_NE(instance.cause().find("status 3"), std::string::npos);
  EXPECT_TRUE(world.network.made.empty());
  // BROKEN survives the daemon.
  world.restart();
  world.settle();
  EXPECT_EQ(world.daemon->instance().state(), InstanceState::broken);
  world.set_wish(kCrashing, true, 1);
  world.runtime.crashing.clear();
  world.settle();
  EXPECT_EQ(world.daemon->instance().state(), InstanceState::running);
}

TEST(InstanceLife, ABrokenOneRunsAgainWhenWhatBrokeItIsTakenBack) {
  World world;
  world.set_wish(kCrashing, true);
  world.settle();
  ASSERT_EQ(world.daemon->instance().state(), InstanceState::broken);
  world.runtime.crashing.clear();
  // A restart of the platform's own, such as for an interface, does not end BROKEN.
  world.daemon->instance().restart("its interface is back");
  world.settle();
  EXPECT_EQ(world.daemon->instance().state(), InstanceState::broken);
  world.daemon->instance().revive("a resource was rolled back");
  world.settle();
  EXPECT_EQ(world.daemon->instance().state(), InstanceState::running);
  EXPECT_EQ(world.daemon->instance().memory().failures, 0U);
  EXPECT_EQ(world.daemon->instance().cause(), "");
}

TEST(InstanceLife, OneThatEndsWithZeroIsFinished) {
  World world;
  world.runtime.ending = {kGood};
  world.set_wish(kGood, true);
  world.settle();
  EXPECT_EQ(world.daemon->instance().state(), InstanceState::finished);
}

TEST(InstanceLife, ARuntimeThatIsAwayIsNobodysFailure) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  bool away = true;
  world.runtime.before = [&](const std::string&, const std::string& name) -> Result<void> {
    if (away) return fail(ErrorKind::io, "reach", name, "the runtime is away");
    return {};
  };
  world.settle();
  EXPECT_EQ(world.daemon->instance().state(), InstanceState::running);
  // It took its containers with it.
  world.runtime.boxes["beacon-0"].running = false;
  away = false;
  world.settle();
  EXPECT_EQ(world.daemon->instance().state(), InstanceState::running);
  EXPECT_EQ(world.daemon->instance().memory().failures, 0U);
}

TEST(InstanceLife, AMissingInterfaceIsWaitedForAndNeverBroken) {
  World world;
  bool missing = true;
  world.network.before = [&](const std::string& call, const std::string&) -> Result<void> {
    if (missing && call == "prepare") {
      return fail(ErrorKind::not_found, "use", "interface cap0", "it is not there");
    }
    return {};
  };
  world.set_wish(kGood, true);
  world.settle();
  EXPECT_EQ(world.daemon->instance().state(), InstanceState::errored);
  EXPECT_NE(world.daemon->instance().cause().find("cap0"), std::string::npos);
  missing = false;
  world.daemon->instance().restart("interface cap0 came back");
  world.settle();
  EXPECT_EQ(world.daemon->instance().state(), InstanceState::running);
}

TEST(InstanceLife, DataOfOneThatItsFileDefinesNoMoreIsKeptForADay) {
  World world;
  world.set_wish(kGood, true);
  world.wish->source = "/etc/beaconry/sensor.d/beacon.yaml";
  world.settle();
  const auto wish = world.wish;
  const Timestamp lost = world.now;
  world.wish.reset();
  world.settle();
  EXPECT_TRUE(world.runtime.boxes.empty());
  EXPECT_FALSE(world.runtime.held_volumes.empty());
  EXPECT_FALSE(world.daemon->forgotten);
  // The file is back, and with it the instance that had the data.
  world.wish = wish;
  world.settle();
  EXPECT_EQ(world.daemon->instance().state(), InstanceState::running);
  world.wish.reset();
  world.settle();
  world.restart();
  world.settle();
  EXPECT_FALSE(world.runtime.held_volumes.empty());
  world.now = lost + std::chrono::hours{48};
  world.settle();
  EXPECT_TRUE(world.runtime.held_volumes.empty());
  EXPECT_TRUE(world.daemon->forgotten);
}

TEST(InstanceLife, PausesGrowToFiveMinutes) {
  EXPECT_EQ(backoff(1), std::chrono::seconds{1});
  EXPECT_EQ(backoff(4), std::chrono::seconds{8});
  EXPECT_EQ(backoff(60), std::chrono::minutes{5});
}

TEST(InstanceNames, GoThereAndBack) {
  EXPECT_EQ(container_name("my-tool_12"), "my-tool-12");
  bool aside = false;
  EXPECT_EQ(instance_of_container("my-tool-12-old", aside), "my-tool_12");
  EXPECT_TRUE(aside);
  EXPECT_EQ(instance_of_container("my-tool-12", aside), "my-tool_12");
  EXPECT_FALSE(aside);
  EXPECT_EQ(instance_of_container("postgres", aside), "");
  EXPECT_EQ(instance_of_volume("my-tool-12-persistent"), "my-tool_12");
  EXPECT_EQ(instance_of_volume("something"), "");
}

}  // namespace
}  // namespace beaconry
