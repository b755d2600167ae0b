#include <gtest/gtest.h>

#include <algorithm>

#include "sensor/test_world.h"

namespace beaconry {
namespace {

using test::kBetter, test::kCrashing, test::kGood, test::kSick, test::World;

TEST(InstanceUpdate, AnUpdateThatCrashesIsRolledBack) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  world.set_wish(kCrashing, true);
  world.settle();
  const Instance& instance = world.daemon->instance();
  EXPECT_EQ(world.runtime.boxes.size(), 1U);
  EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kGood);
  EXPECT_TRUE(world.runtime.boxes["beacon-0"].running);
  EXPECT_EQ(instance.memory().update.state, UpdateState::failed);
  EXPECT_NE(instance.memory().update.reason.find("status 3"), std::string::npos);
}

TEST(InstanceUpdate, AnUpdateThatEndsWithZeroBeforeItWasHealthyIsRolledBack) {
  World world;
  world.runtime.ending = {kSick};
  world.set_wish(kGood, true);
  world.settle();
  world.set_wish(kSick, true);
  world.settle();
  const Instance& instance = world.daemon->instance();
  EXPECT_EQ(world.runtime.boxes.size(), 1U);
  EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kGood);
  EXPECT_EQ(instance.state(), InstanceState::running);
  EXPECT_EQ(instance.memory().update.state, UpdateState::failed);
  EXPECT_NE(instance.memory().update.reason.find("status 0"), std::string::npos);
}

TEST(InstanceUpdate, AnUpdateOfOneThatDoesItsWorkAndEndsMayDoSoToo) {
  for (const bool killed : {false, true}) {
    World world;
    world.runtime.ending = {kGood, kBetter};
    world.set_wish(kGood, true);
    world.settle();
    ASSERT_EQ(world.daemon->instance().state(), InstanceState::finished);
    world.set_wish(kBetter, true);
    world.daemon->work(world.wish, world.now, false);
    if (killed) world.restart();  // it is known all the same
    world.settle();
    EXPECT_EQ(world.runtime.boxes.size(), 1U);
    EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kBetter);
    EXPECT_EQ(world.daemon->instance().state(), InstanceState::finished);
    EXPECT_EQ(world.daemon->instance().memory().update.state, UpdateState::installed);
  }
}

TEST(InstanceUpdate, AnUpdateThatIsNotHealthyInTimeIsRolledBack) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  world.set_wish(kSick, true);
  world.settle();
  EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kGood);
  EXPECT_TRUE(world.runtime.boxes["beacon-0"].running);
  EXPECT_EQ(world.daemon->instance().memory().rejected_image, kSick);
  // Wished anew it is tried anew.
  world.set_wish(kBetter, true);
  world.settle();
  EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kBetter);
  EXPECT_EQ(world.runtime.boxes.size(), 1U);
  EXPECT_EQ(world.daemon->instance().memory().update.state, UpdateState::installed);
}

TEST(InstanceUpdate, WhatTheRuntimeWasTooBusyForIsNotHeldAgainstANewImage) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  int busy = 3;
  world.runtime.before = [&](const std::string& call, const std::string& name) -> Result<void> {
    if ((call == "create" || call == "start") && busy-- > 0)
      return fail(ErrorKind::limit, call, name, "Instance is busy running a \"stop\" operation");
    return {};
  };
  world.set_wish(kBetter, true);
  world.settle();
  EXPECT_LT(busy, 0);
  EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kBetter);
  EXPECT_EQ(world.daemon->instance().memory().update.state, UpdateState::installed);
  EXPECT_EQ(world.daemon->instance().memory().failures, 0U);
}

TEST(InstanceUpdate, ANewImageThatTheRuntimeNeverMakesIsRolledBack) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  world.runtime.before = [](const std::string& call, const std::string& name) -> Result<void> {
    if (call == "create") return fail(ErrorKind::limit, call, name, "LXD is still at it");
    return {};
  };
  world.set_wish(kBetter, true);
  world.settle();
  EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kGood);
  EXPECT_TRUE(world.runtime.boxes["beacon-0"].running);
  EXPECT_EQ(world.daemon->instance().memory().rejected_image, kBetter);
}

// Old or new, nothing can be started: that says nothing of the new one.
TEST(InstanceUpdate, AFaultOfTheRuntimeThatHitsTheOldImageTooIsNotHeldAgainstTheNewOne) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  const Timestamp begin = world.now;
  bool was_rejected = false;
  world.runtime.before = [&](const std::string& call, const std::string& name) -> Result<void> {
    if (world.daemon) was_rejected |= !world.daemon->instance().memory().rejected_image.empty();
    if (call == "start" && world.now - begin < std::chrono::minutes{10})
      return fail(ErrorKind::io, call, name, "Failed to run: forkstart: exit status 1");
    return {};
  };
  world.set_wish(kBetter, true);
  world.settle();
  EXPECT_TRUE(was_rejected);  // it went back in between
  if (world.daemon->instance().state() == InstanceState::broken) {
    world.daemon->instance().revive("somebody starts it");
    world.settle();
  }
  EXPECT_EQ(world.runtime.boxes.size(), 1U);
  EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kBetter);
  EXPECT_TRUE(world.runtime.boxes["beacon-0"].running);
  EXPECT_EQ(world.daemon->instance().memory().update.state, UpdateState::installed);
}

TEST(InstanceUpdate, AFewFailuresOfTheRuntimeAreNoVerdictOnANewImage) {
  for (const char* failing : {"create", "start", "make_volume"}) {
    World world;
    world.set_wish(kGood, true);
    world.settle();
    int times = 4;
    world.runtime.before = [&](const std::string& call, const std::string& name) -> Result<void> {
      if (call == failing && times-- > 0) return fail(ErrorKind::io, call, name, "btrfs is busy");
      return {};
    };
    world.set_wish(kBetter, true);
    world.settle();
    EXPECT_LE(times, 0) << failing;
    EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kBetter) << failing;
    EXPECT_EQ(world.daemon->instance().memory().update.state, UpdateState::installed) << failing;
  }
}

TEST(InstanceUpdate, ANewImageThatIsEndedFromOutsideIsStartedOnceMore) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  world.set_wish(kSick, true);
  const auto runs = [&] {
    const auto box = world.runtime.boxes.find("beacon-0");
    return box != world.runtime.boxes.end() && box->second.fingerprint == kSick &&
           box->second.running;
  };
  for (int steps = 0; steps < 100 && !runs(); ++steps)
    world.daemon->work(world.wish, world.now, false);
  ASSERT_TRUE(runs());
  world.runtime.halt("beacon-0");
  world.daemon->work(world.wish, world.now, false);
  EXPECT_TRUE(world.daemon->instance().memory().rejected_image.empty());
  EXPECT_EQ(world.daemon->instance().memory().failures, 1U);
}

TEST(InstanceUpdate, TimeInWhichANewImageCannotBeHeardDoesNotCount) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  world.set_wish(kSick, true);
  world.daemon->deaf = true;
  world.settle();
  EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kSick);
  world.daemon->deaf = false;
  bool away = true;
  world.runtime.before = [&](const std::string&, const std::string& name) -> Result<void> {
    if (away) return fail(ErrorKind::io, "reach", name, "the runtime is away");
    return {};
  };
  world.settle();
  away = false;
  world.daemon->work(world.wish, world.now, false);
  EXPECT_TRUE(world.daemon->instance().memory().rejected_image.empty());
  world.settle();
  EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kGood);
  EXPECT_EQ(world.daemon->instance().memory().rejected_image, kSick);
}

bool runs(World& world, const std::string& image) {
  const auto box = world.runtime.boxes.find("beacon-0");
  return box != world.runtime.boxes.end() && box->second.fingerprint == image &&
         box->second.running && world.daemon->instance().has_interfaces();
}

bool work_until_it_runs(World& world, const std::string& image) {
  for (int steps = 0; steps < 100 && !runs(world, image); ++steps)
    world.daemon->work(world.wish, world.now, false);
  return runs(world, image);
}

std::string news_of(World& world, const std::string& word) {
  for (const auto& [said, message] : world.daemon->instance().take_news()) {
    if (said == word) return message;
  }
  return "none";
}

TEST(InstanceUpdate, AnUpdateThatTakesThePlaceOfOneOnTrialHasItsOwnName) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  world.set_wish(kSick, true);
  ASSERT_TRUE(work_until_it_runs(world, kSick));
  world.set_wish(kBetter, true);
  ASSERT_TRUE(work_until_it_runs(world, kBetter));
  ASSERT_EQ(world.runtime.boxes.size(), 2U);
  EXPECT_EQ(world.daemon->instance().memory().update.state, UpdateState::installing);
  EXPECT_EQ(world.daemon->instance().memory().update.what, "image better");
  world.settle();
  EXPECT_EQ(world.runtime.boxes.size(), 1U);
  EXPECT_EQ(world.daemon->instance().memory().update.state, UpdateState::installed);
  EXPECT_EQ(news_of(world, "updated"), "image better is installed and healthy");
}

TEST(InstanceUpdate, OneThatIsTriedAgainWhileItStillRunsHasItsNameAndAllOfItsTime) {
  for (const bool by_another_wish : {false, true}) {
    World world;
    world.set_wish(kGood, true);
    world.settle();
    world.set_wish(kSick, true);
    ASSERT_TRUE(work_until_it_runs(world, kSick));
    bool stuck = true;
    world.runtime.before = [&](const std::string& call, const std::string& name) -> Result<void> {
      if (call == "stop" && stuck) return fail(ErrorKind::io, call, name, "it does not end");
      return {};
    };
    world.now += std::chrono::minutes{2};
    world.daemon->work(world.wish, world.now, false);
    Instance& instance = world.daemon->instance();
    ASSERT_EQ(instance.memory().rejected_image, kSick);
    ASSERT_TRUE(runs(world, kSick));
    if (by_another_wish) {  // and back
      InstanceWish other = *world.wish;
      other.image = kBetter;
      instance.take_wish(&other, world.now);
    } else {
      instance.retry_update(world.now);
    }
    stuck = false;
    for (int seconds = 0; seconds < 50; ++seconds) {
      world.daemon->work(world.wish, world.now, false);
      world.now += std::chrono::seconds{1};
    }
    EXPECT_EQ(instance.memory().rejected_image, "");
    EXPECT_EQ(instance.memory().update.state, UpdateState::installing);
    EXPECT_EQ(instance.memory().update.what, "image sick");
    world.settle();
    EXPECT_EQ(instance.memory().rejected_image, kSick);
    EXPECT_TRUE(runs(world, kGood));
  }
}

TEST(InstanceUpdate, OneThatStaysBecauseItsSuccessorWaitsIsNoNews) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  world.set_wish(kBetter, true);
  ASSERT_TRUE(work_until_it_runs(world, kBetter));
  ASSERT_EQ(world.runtime.boxes.size(), 2U);
  world.set_wish(kSick, true);
  world.daemon->permitted = false;
  world.settle();
  EXPECT_EQ(world.runtime.boxes.size(), 1U);
  EXPECT_TRUE(runs(world, kBetter));
  EXPECT_NE(world.daemon->instance().memory().update.state, UpdateState::installed);
  EXPECT_EQ(news_of(world, "updated"), "none");
}

TEST(InstanceUpdate, ARollbackRestoresTheQuotas) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  std::uint64_t most = 0;
  world.runtime.before = [&](const std::string& call, const std::string&) -> Result<void> {
    if (call == "start") most = std::max(most, world.runtime.held_volumes["beacon-0-persistent"]);
    return {};
  };
  world.set_wish(kSick, true);
  world.settle();
  EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kGood);
  EXPECT_EQ(most, 2U << 20);
  EXPECT_EQ(world.runtime.held_volumes["beacon-0-persistent"], 1U << 20);
}

TEST(InstanceUpdate, QuotasThatCannotBeRestoredKeepNothingFromRunning) {
  World world;
  world.set_wish(kGood, true);
  world.settle();
  world.runtime.before = [&](const std::string& call, const std::string& name) -> Result<void> {
    const auto box = world.runtime.boxes.find("beacon-0");
    const bool back = box != world.runtime.boxes.end() && box->second.fingerprint == kGood;
    if (call == "make_volume" && back) return fail(ErrorKind::io, call, name, "it is too full");
    return {};
  };
  world.set_wish(kSick, true);
  world.settle();
  EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kGood);
  EXPECT_TRUE(world.runtime.boxes["beacon-0"].running);
}

TEST(InstanceUpdate, OneThatIsMadeAnewIsOfItsImageAlsoWhileAnotherWaits) {
  for (const bool killed : {false, true}) {
    World world;
    world.set_wish(kGood, true);
    world.settle();
    world.set_wish(kBetter, true, 1);  // a restart, too
    world.daemon->permitted = false;
    world.daemon->instance().set_outdated();
    const auto step_until = [&](bool there) {
      const auto is_so = [&] { return (world.runtime.boxes.count("beacon-0") != 0) == there; };
      for (int steps = 0; steps < 100 && !is_so(); ++steps)
        world.daemon->work(world.wish, world.now, false);
      ASSERT_TRUE(is_so());
    };
    step_until(false);
    if (killed) world.restart();
    world.daemon->permitted = false;
    step_until(true);
    EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kGood);
    world.settle();
    EXPECT_TRUE(world.runtime.boxes["beacon-0"].running);
    EXPECT_EQ(world.runtime.boxes["beacon-0"].fingerprint, kGood);
  }
}

}  // namespace
}  // namespace beaconry
