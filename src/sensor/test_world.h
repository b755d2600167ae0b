#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "sensor/instance.h"
#include "sensor/instance_steps.h"
#include "sensor/test_parts.h"

// One instance on a runtime in memory, with a daemon that can be killed. One thread.
namespace beaconry::test {

inline constexpr Timestamp kBegin{std::chrono::seconds{1'790'000'000}};
inline const std::string kGood = "good", kBetter = "better", kCrashing = "crashing", kSick = "sick";

inline ImageInfo image_of(const std::string& fingerprint) {
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
  Daemon(FakeRuntime& runtime, FakeNetwork& network, std::string& disk)
      : runtime_(runtime), network_(network), disk_(disk) {
    auto memory = InstanceMemory::parse(disk);
    instance_ = std::make_unique<Instance>("beacon_0", memory ? *memory : InstanceMemory{});
  }

  Situation situation(const std::optional<InstanceWish>& wish) {
    Situation now;
    now.wish = wish ? &*wish : nullptr;
    if (wish) now.version = wish->image;
    now.permitted = permitted;
    now.may_run = true;
    now.deaf = deaf;
    runtime_.with([&](FakeRuntime& all) { imported_ = all.held_images; });
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

  FakeRuntime& runtime_;
  FakeNetwork& network_;
  std::string& disk_;
  std::unique_ptr<Instance> instance_;
  std::set<std::string> imported_;
};

struct World {
  FakeRuntime runtime;
  FakeNetwork network;
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

}  // namespace beaconry::test
