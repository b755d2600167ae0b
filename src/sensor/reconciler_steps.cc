// How the reconciler takes its instances a step further.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "sensor/given_wish.h"
#include "sensor/reconciler.h"

namespace beaconry {
namespace {

constexpr auto kMeasureSoon = std::chrono::seconds{5};  // after what changes the pool's space

// A step that came to nothing, and changed nothing.
StepOutcome not_done(const Instance& instance, Step step, const std::string& image,
                     const Error& why) {
  StepOutcome outcome;
  outcome.step = step;
  outcome.image = image;
  outcome.done = tl::unexpected<Error>(why);
  outcome.looked = true;
  outcome.container = instance.facts().container;
  outcome.aside = instance.facts().aside;
  return outcome;
}

}  // namespace

void Reconciler::drive(const std::string& name, Timestamp now) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;
  Entry& one = found->second;
  Instance& instance = one.instance;
  // Twice where something that was found before the step makes another one of it.
  for (int round = 0; round < 3 && instance.busy() == Step::none; ++round) {
    const Situation situation = situation_of(one);
    const Step step = instance.next(situation, now);
    save(one);
    tell_news(one);
    if (step == Step::none) return;
    if (step == Step::forget) {
      forget(name);
      return;
    }
    StepPlan plan;
    plan.step = step;
    plan.instance = name;
    const std::string target = instance.target(situation);
    const ImageInfo* image = parts_.images.find(target);
    if (image != nullptr) plan.image = *image;
    plan.image.fingerprint = target;
    if (image != nullptr) plan.interfaces = interfaces_of(one, *image);
    if (instance.facts().container) plan.process = instance.facts().container->process;
    const bool needs_image = step == Step::import_image || step == Step::make_volumes ||
                             step == Step::create || step == Step::prepare || step == Step::attach;
    Result<bool> ready = true;
    if (needs_image && image == nullptr) {
      ready = fail(ErrorKind::not_found, "find", "image " + target.substr(0, 12),
                   "its file is gone from the sensor's folder; install it again");
    } else {
      ready = before(one, step, plan);
    }
    if (ready && !*ready) continue;
    const bool first = step == Step::make_volumes || step == Step::create;
    if (ready && first && !instance.facts().aside) note_permitted(one, *image);
    instance.begin(step, situation, now);
    save(one);
    ++one.turns;
    if (!ready) {
      conclude(name, not_done(instance, step, target, ready.error()));
      return;
    }
    const auto end = [this, name](const StepOutcome& outcome) {
      conclude(name, outcome);
      drive(name, this->now());
    };
    parts_.workers.submit(
        [this, end, plan = std::move(plan)]() -> std::function<void()> {
          StepOutcome outcome = carry_out(plan, parts_.runtime, parts_.network);
          return [end, outcome = std::move(outcome)] { end(outcome); };
        },
        [this, end, name, step, target](const std::string& why) {
          const auto of = entries_.find(name);
          if (of != entries_.end()) {
            end(not_done(of->second.instance, step, target, {ErrorKind::io, "", "", why}));
          }
        });
    return;
  }
}

Services::Instance Reconciler::handed_over(Entry& entry, const ImageInfo& image) {
  Services::Instance given;
  given.name = entry.instance.name();
  given.manifest = image.manifest;
  given.config_json = image.manifest.config_defaults_json;
  if (!entry.wish) return given;
  given.retention = entry.wish->retention;
  if (image.fingerprint == entry.wish->image) {
    if (!entry.wish->config_json.empty()) given.config_json = entry.wish->config_json;
    given.config_version = keep_config(entry, given.config_json, "", "default");
    return given;
  }
  auto config = config_for(*entry.wish, image.manifest, entry.configs ? &*entry.configs : nullptr);
  given.config_json = std::move(config.json);
  given.config_version = config.version;
  return given;
}

Result<bool> Reconciler::before(Entry& entry, Step step, StepPlan& plan) {
  if (step == Step::stop && entry.handed) parts_.services.stopping(entry.instance.name());
  if (step == Step::create || step == Step::prepare || (step == Step::attach && !entry.handed)) {
    const Services::Instance given = handed_over(entry, plan.image);
    auto folders = parts_.services.prepare(given);
    if (!folders) return tl::unexpected<Error>(std::move(folders.error()));
    plan.folders = std::move(*folders);
    if (step == Step::prepare) {
      const std::string& made = entry.instance.facts().container->made;
      if (!made.empty() && made != spec_digest(container_spec(plan))) {
        entry.instance.set_outdated();
        return false;
      }
    }
    if (step == Step::attach) {
      parts_.services.started(given, options_.clock());
      entry.handed = true;
      entry.handed_key = given.config_json + ' ' + std::to_string(given.retention.count());
    }
  }
  return true;
}

void Reconciler::hand_over_changes(Entry& entry, Timestamp now) {
  const auto& container = entry.instance.facts().container;
  if (!entry.handed || !entry.wish || !container) return;
  const ImageInfo* image = parts_.images.find(container->fingerprint);
  if (image == nullptr) return;
  if (!entry.fits && image->fingerprint == entry.wish->image) return;
  const Services::Instance given = handed_over(entry, *image);
  const std::string key = given.config_json + ' ' + std::to_string(given.retention.count());
  if (key == entry.handed_key) return;
  entry.handed_key = key;
  parts_.services.changed(given, now);
}

void Reconciler::after(Entry& entry, Timestamp now) {
  const InstanceFacts& facts = entry.instance.facts();
  const ImageInfo* there =
      facts.container && !facts.aside ? parts_.images.find(facts.container->fingerprint) : nullptr;
  if (there != nullptr) note_permitted(entry, *there);
  if (there != nullptr && entry.handed && entry.wish && entry.fits &&
      there->fingerprint == entry.wish->image) {
    entry.instance.prove(there->fingerprint, interfaces_json(entry.wish->interfaces));
  }
  if (entry.handed && entry.instance.facts().known && !entry.instance.is_running()) {
    entry.handed = false;
    parts_.services.stopped(entry.instance.name(), now);
  }
  parts_.services.observe(entry.instance.name(), entry.instance.state(), entry.instance.cause());
  save(entry);
  tell_news(entry);
}

void Reconciler::conclude(const std::string& name, const StepOutcome& outcome) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;
  Entry& one = found->second;
  const Timestamp now = this->now();
  ++one.turns;
  const Situation situation = situation_of(one);
  if (outcome.step == Step::import_image && outcome.done) imported_.insert(outcome.image);
  // It may be that which was missing: imported anew, it is there.
  if (outcome.step == Step::create && !outcome.done) imported_.erase(outcome.image);
  if (!outcome.done) {
    log_warning(name + ": could not " + std::string(to_string(outcome.step)) + ": " +
                outcome.done.error().message());
  }
  if (!outcome.looked) {
    adopted_ = false;
    next_look_ = {};
  }
  one.instance.finish(outcome, situation, now);
  const bool of_room = outcome.step == Step::create || outcome.step == Step::remove ||
                       outcome.step == Step::remove_aside || outcome.step == Step::remove_volumes;
  if (of_room) next_measure_ = std::min(next_measure_, now + kMeasureSoon);
  // What is lost from now on was there.
  if (outcome.step == Step::attach && outcome.done) look_at_interfaces(one);
  // Also of one that ended before it was handed over, so that what was new in that start is blamed.
  if (outcome.step == Step::collect && !one.handed) parts_.services.stopped(name, now);
  after(one, now);
}

void Reconciler::tell_news(Entry& entry) {
  for (const auto& [word, message] : entry.instance.take_news()) {
    log_info(entry.instance.name() + ": " + terminal_safe(message));
    parts_.services.tell(entry.instance.name(), word, message, "{}");
  }
}

}  // namespace beaconry
