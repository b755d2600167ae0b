// What is seen of an instance, and what comes of its steps.
#include <utility>

#include "sensor/instance.h"

namespace beaconry {
namespace {

// So often the runtime is to blame for what it cannot do with a new image, before that is.
constexpr unsigned kPatience = 5;

}  // namespace

void Instance::see(const std::optional<InstanceFacts::Container>& container,
                   const std::optional<InstanceFacts::Container>& aside, Timestamp now) {
  const bool first = !facts_.known && !expected_running_;
  const bool was_running = expected_running_;
  const bool was_away = std::exchange(away_, false);
  if (was_away) judged_since_ = now;
  facts_.known = true;
  facts_.container = container;
  facts_.aside = aside;
  if (container) facts_.has_volumes = true;
  // Taken over, running or ended since: it has interfaces, perhaps.
  if (first && container) facts_.prepared = true;
  if (is_running()) {
    if (!was_running && running_since_ == Timestamp{}) running_since_ = now;
    expected_running_ = true;
    return;
  }
  facts_.attached = 0;
  restart_why_.clear();
  expected_running_ = false;
  // A runtime that went away may have taken its containers with it: that is no failure of theirs.
  if (was_running && !was_away) ended_ = true;
}

void Instance::runtime_away() {
  facts_.known = false;
  away_ = true;
}

void Instance::look(const std::optional<InstanceFacts::Container>& container,
                    const std::optional<InstanceFacts::Container>& aside, Timestamp now) {
  if (busy_ != Step::none) return;
  see(container, aside, now);
  settle(now);
}

void Instance::not_done(const StepOutcome& outcome, const Situation& situation, Timestamp now) {
  const std::string cause = outcome.done.error().message();
  const bool of_runtime = outcome.step == Step::import_image ||
                          outcome.step == Step::make_volumes || outcome.step == Step::create ||
                          outcome.step == Step::start;
  const bool on_the_way = of_runtime && facts_.aside && !busy_target_.empty() &&
                          busy_target_ == memory_.wished_image &&
                          busy_target_ != facts_.aside->fingerprint;
  const bool patient = hindrances_ < kPatience;
  if (of_runtime && !on_the_way && memory_.rejected_by_runtime && !memory_.in_doubt) {
    memory_.in_doubt = true;
    changed_ = true;
  }
  if (on_the_way && !patient) {
    reject(busy_target_, cause, now);
    memory_.rejected_by_runtime = true;
    return;
  }
  const bool busy = outcome.done.error().kind == ErrorKind::limit && patient;
  if (outcome.step == Step::start && !on_the_way && !busy) {
    memory_.last_log = outcome.log;
    failed(cause, situation, now);
    return;
  }
  // Quotas that cannot be changed keep nothing from running that has its volumes.
  if (outcome.step == Step::make_volumes && facts_.container && !patient) {
    facts_.volumes_for = busy_target_;
  }
  hindered_at_ = outcome.step;
  hindered("could not " + std::string(to_string(outcome.step)) + ": " + cause, now);
}

void Instance::finish(const StepOutcome& outcome, const Situation& situation, Timestamp now) {
  busy_ = Step::none;
  if (!outcome.looked) {  // the runtime is away: nothing is known, and nobody is to blame
    memory_.in_doubt = memory_.in_doubt || memory_.rejected_by_runtime;
    runtime_away();
    settle(now);
    return;
  }
  if (outcome.step == Step::start && outcome.done) expected_running_ = true;
  see(outcome.container, outcome.aside, now);
  if (!outcome.done) {
    not_done(outcome, situation, now);
    settle(now);
    return;
  }
  retry_.reset();
  if (outcome.step == hindered_at_) hindered_at_ = Step::none;
  switch (outcome.step) {
    case Step::make_volumes:
      facts_.has_volumes = true;
      facts_.volumes_for = busy_target_;
      break;
    case Step::create:
      facts_.outdated = false;
      memory_.remade_image.clear();
      changed_ = true;
      break;
    case Step::prepare:
      facts_.fresh = true;
      break;
    case Step::attach:
      if (facts_.container) facts_.attached = facts_.container->process;
      judged_since_ = now;
      hindrances_ = 0;
      hindrance_.clear();
      if (!memory_.cause.empty()) news_.emplace_back("running", "runs again");
      memory_.cause.clear();
      if (memory_.in_doubt) {
        news_.emplace_back("hindered", memory_.update.what +
                                           " is tried again: the runtime was at fault, not the "
                                           "image");
        retry_update(now);
      }
      break;
    case Step::collect:
      facts_.prepared = facts_.fresh = false;
      ended(outcome, situation, now);
      break;
    case Step::release:
      facts_.prepared = facts_.fresh = false;
      break;
    case Step::remove_aside:
      // None: what was on trial stays because its successor waits.
      if (situation.wish == nullptr || memory_.update.state != UpdateState::installing) break;
      memory_.update.state = UpdateState::installed;
      memory_.update.since = now;
      memory_.update.reason.clear();
      changed_ = true;
      news_.emplace_back("updated", memory_.update.what + " is installed and healthy");
      break;
    case Step::remove_volumes:
      facts_.has_volumes = false;
      facts_.volumes_for.clear();
      break;
    default:
      break;
  }
  settle(now);
}

void Instance::ended(const StepOutcome& outcome, const Situation& situation, Timestamp now) {
  ended_ = false;
  memory_.last_log = outcome.log;
  changed_ = true;
  if (situation.wish == nullptr) return;
  // A build that does nothing ends with 0, too: a new image has to prove itself first, unless its
  // predecessor was one that does its work and ends.
  const bool unproven = on_trial() && !was_healthy_ && !memory_.finished_before;
  if (outcome.status == 0 && unproven) {
    failed("ended with status 0 before it was healthy", situation, now);
    return;
  }
  if (outcome.status == 0) {
    memory_.finished = true;
    memory_.cause.clear();
    news_.emplace_back("finished", "ended with status 0");
    return;
  }
  // Whoever ends it from outside, such as a runtime that shuts down, leaves no status: once.
  if (!outcome.status && on_trial() && memory_.failures == 0) {
    memory_.cause = "ended, and its log does not tell its status";
    ++memory_.failures;
    retry_ = now + backoff(memory_.failures);
    return;
  }
  failed(outcome.status ? "ended with status " + std::to_string(*outcome.status)
                        : "ended, and its log does not tell its status",
         situation, now);
}

void Instance::failed(const std::string& cause, const Situation& situation, Timestamp now) {
  changed_ = true;
  memory_.cause = cause;
  if (on_trial() && situation.wish != nullptr &&
      facts_.container->fingerprint == situation.wish->image) {
    reject(facts_.container->fingerprint, cause, now);
    return;
  }
  ++memory_.failures;
  if (memory_.failures >= situation.broken_after) {
    memory_.broken = true;
    retry_.reset();
    news_.emplace_back("broken", cause + ", " + std::to_string(memory_.failures) +
                                     " times in a row; it waits for a restart or another wish");
    return;
  }
  retry_ = now + backoff(memory_.failures);
  if (memory_.failures == 1) news_.emplace_back("failed", cause + "; it is started again");
}

void Instance::hindered(const std::string& cause, Timestamp now) {
  retry_ = now + backoff(++hindrances_);
  if (hindrance_ != cause) news_.emplace_back("hindered", cause);
  hindrance_ = cause;
}

void Instance::reject(const std::string& image, const std::string& why, Timestamp now) {
  memory_.rejected_image = image;
  memory_.rejected_by_runtime = memory_.in_doubt = false;
  memory_.update.state = UpdateState::failed;
  memory_.update.reason = why;
  memory_.update.since = now;
  memory_.failures = 0;
  hindrances_ = 0;
  hindrance_.clear();
  retry_.reset();
  changed_ = true;
  news_.emplace_back("update_rolled_back",
                     memory_.update.what + " is taken back to the one before: " + why);
}

}  // namespace beaconry
