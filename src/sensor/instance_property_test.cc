#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>

#include "sensor/instance.h"
#include "sensor/instance_steps.h"
#include "sensor/test_parts.h"

namespace beaconry {
namespace {

constexpr Timestamp kBegin{std::chrono::seconds{1'790'000'000}};
const std::string kGood = "good", kBetter = "better", kCrashing = "crashing", kSick = "sick";

ImageInfo image_of(const std::string& fingerprint) {
  ImageInfo image;
  image.fingerprint = fingerprint;
  image.manifest.name = "beacon";
  image.manifest.limits.persistent = fingerprint == kSick ? 2 << 20 : 1 << 20;
  return image;
}

// A daemon with one instance, in one thread, that can be killed at any moment: only the memory and
// what the runtime holds outlive it.
class Daemon {
 public:
  Daemon(test::FakeRuntime& runtime, test::FakeNetwork& network, std::string& disk)
      : runtime_(runtime), network_(network), disk_(disk) {
    auto memory = InstanceMemory::parse(disk);
    instance_ = std::make_unique<Instance>("beacon_0", memory ? *memory : InstanceMemory{});
  }

  Situation situation(const std::optional<InstanceWish>& wish) {
    Situation now;
    now.wish = wish ? &*wish : nullptr;
    now.permitted = permitted;
    now.may_run = true;
    now.deaf = deaf;
    runtime_.with([&](test::FakeRuntime& all) { imported_ = all.held_images; });
    now.imported = &imported_;
    const auto& container = instance_->facts().container;
    now.healthy = container && container->running && container->fingerprint != kSick;
    return now;
  }

  // False: there was nothing to do.
  bool work(const std::optional<InstanceWish>& wish, Timestamp now, bool killed) {
    instance_->take_wish(wish ? &*wish : nullptr, now);
    look(now);
    const Situation before = situation(wish);
    const Step step = instance_->next(before, now);
    save();
    if (step == Step::none) return false;
    if (step == Step::forget) {
      disk_.clear();
      forgotten = true;
      return false;
    }
    instance_->begin(step, before, now);
    save();
    StepPlan plan;
    plan.step = step;
    plan.instance = "beacon_0";
    plan.image = image_of(instance_->target(before));
    if (wish) plan.interfaces = wish->interfaces;
    if (instance_->facts().container) plan.process = instance_->facts().container->process;
    const StepOutcome outcome = carry_out(plan, runtime_, network_);
    if (killed) return true;  // it never learns of it
    instance_->finish(outcome, situation(wish), now);
    save();
    return true;
  }

  Instance& instance() { return *instance_; }
  bool forgotten = false, permitted = true, deaf = false;

 private:
  void look(Timestamp now) {
    const auto container = runtime_.find("beacon-0"), aside = runtime_.find("beacon-0-old");
    const auto volumes = runtime_.volumes();
    if (!container || !aside || !volumes) {
      instance_->runtime_away();
      return;
    }
    instance_->set_volumes(!volumes->empty());
    instance_->look(facts_of(*container), facts_of(*aside), now);
  }
  void save() {
    if (instance_->take_changed()) disk_ = instance_->memory().to_json();
  }

  test::FakeRuntime& runtime_;
  test::FakeNetwork& network_;
  std::string& disk_;
  std::unique_ptr<Instance> instance_;
  std::set<std::string> imported_;
};

struct World {
  test::FakeRuntime runtime;
  test::FakeNetwork network;
  std::string disk;
  std::optional<InstanceWish> wish;
  std::unique_ptr<Daemon> daemon;
  Timestamp now = kBegin;

  World() {
    runtime.crashing = {kCrashing};
    restart();
  }
  void restart() {
    // As the real network does at its start: cleans up but for running instances.
    const bool running = runtime.boxes.count("beacon-0") != 0 && runtime.boxes["beacon-0"].running;
    if (!running) network.release("beacon_0");
    daemon = std::make_unique<Daemon>(runtime, network, disk);
  }
  void set_wish(const std::string& image, bool running, std::uint64_t restarts = 0) {
    wish = InstanceWish{};
    wish->name = "beacon_0";
    wish->image = image;
    wish->running = running;
    wish->restarts = restarts;
  }
  // Until there was nothing to do for as long as the longest pause may be, or for hours.
  void settle() {
    const Timestamp end = now + std::chrono::hours{3};
    for (int idle = 0; idle < 100 && !daemon->forgotten && now < end;) {
      const bool worked = daemon->work(wish, now, false);
      idle = worked ? 0 : idle + 1;
      if (!worked) now += std::chrono::seconds{idle < 70 ? 1 : 30};
    }
  }
};

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

TEST(InstanceLife, AnUpdateThatCrashesIsRolledBack) {
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

TEST(InstanceLife, AnUpdateThatEndsWithZeroBeforeItWasHealthyIsRolledBack) {
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

TEST(InstanceLife, AnUpdateOfOneThatDoesItsWorkAndEndsMayDoSoToo) {
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

TEST(InstanceLife, AnUpdateThatIsNotHealthyInTimeIsRolledBack) {
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

TEST(InstanceLife, WhatTheRuntimeWasTooBusyForIsNotHeldAgainstANewImage) {
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

TEST(InstanceLife, ANewImageThatTheRuntimeNeverMakesIsRolledBack) {
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
TEST(InstanceLife, AFaultOfTheRuntimeThatHitsTheOldImageTooIsNotHeldAgainstTheNewOne) {
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

TEST(InstanceLife, AFewFailuresOfTheRuntimeAreNoVerdictOnANewImage) {
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

TEST(InstanceLife, ANewImageThatIsEndedFromOutsideIsStartedOnceMore) {
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

TEST(InstanceLife, TimeInWhichANewImageCannotBeHeardDoesNotCount) {
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

TEST(InstanceLife, ARollbackRestoresTheQuotas) {
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

TEST(InstanceLife, QuotasThatCannotBeRestoredKeepNothingFromRunning) {
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

TEST(InstanceLife, OneThatIsMadeAnewIsOfItsImageAlsoWhileAnotherWaits) {
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
