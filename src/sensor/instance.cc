#include "sensor/instance.h"

#include <utility>

namespace beaconry {
namespace {

constexpr auto kHealthyForAWhile = std::chrono::seconds{60};
constexpr auto kDataKept = std::chrono::hours{24};

// Without what tells nothing of how it shall run.
std::string digest(const InstanceWish& wish) {
  InstanceWish plain = wish;
  plain.source.clear();
  plain.approved.clear();
  DesiredState state;
  state.instances.emplace(wish.name, std::move(plain));
  return state.to_json();
}

}  // namespace

// A file can be lost or cut off by mistake, and data that was removed does not come back.
void Instance::follow_file(const InstanceWish* wish, Timestamp now) {
  const bool of_file = wish != nullptr && !wish->source.empty();
  if (wish == nullptr && memory_.of_file) {
    memory_.kept_until = now + kDataKept;
    news_.emplace_back("undefined",
                       "it is defined no more: it is removed, but its data is "
                       "kept until " +
                           to_rfc3339(memory_.kept_until));
    changed_ = true;
  } else if (wish != nullptr && memory_.kept_until != Timestamp{}) {
    memory_.kept_until = {};
    changed_ = true;
  }
  changed_ = changed_ || of_file != memory_.of_file;
  memory_.of_file = of_file;
}

void Instance::permit(const std::string& image, const std::string& permissions) {
  memory_.permitted_image = image;
  memory_.permissions = permissions;
  changed_ = true;
}

void Instance::prove(const std::string& image, const std::string& interfaces) {
  if (memory_.proven_image == image && memory_.proven_interfaces == interfaces) return;
  memory_.proven_image = image;
  memory_.proven_interfaces = interfaces;
  changed_ = true;
}

void Instance::drop_data() {
  memory_.kept_until = {};
  changed_ = true;
}

// An image that is still there from an earlier try has all of its time once more.
void Instance::forget_update(Timestamp now) {
  memory_.rejected_image.clear();
  memory_.rejected_by_runtime = memory_.in_doubt = false;
  memory_.update = {};
  judged_since_ = now;
  changed_ = true;
}

void Instance::take_wish(const InstanceWish* wish, Timestamp now_is) {
  follow_file(wish, now_is);
  const std::string image = wish == nullptr ? "" : wish->image;
  const std::string now = wish == nullptr ? "" : digest(*wish);
  if (now == memory_.wish && (memory_.wished_image == image)) return;
  if (image != memory_.wished_image) forget_update(now_is);
  memory_.wish = now;
  memory_.wished_image = image;
  if (memory_.finished) memory_.finished_before = true;
  memory_.broken = memory_.finished = false;
  memory_.failures = 0;
  memory_.cause.clear();
  hindrance_.clear();
  hindrances_ = 0;
  retry_.reset();
  changed_ = true;
}

void Instance::restart(const std::string& why) {
  retry_.reset();
  hindrances_ = 0;
  if (is_running()) restart_why_ = why;
}

void Instance::revive(const std::string& why) {
  if (memory_.broken || memory_.finished || memory_.failures != 0) {
    memory_.broken = memory_.finished = false;
    memory_.failures = 0;
    memory_.cause.clear();
    changed_ = true;
  }
  restart(why);
}

void Instance::retry_update(Timestamp now) {
  if (memory_.rejected_image.empty()) return;
  forget_update(now);
  hindrances_ = 0;
  retry_.reset();
}

std::uint64_t Instance::refused_told(const std::string& interface) const {
  const auto found = memory_.refused_told.find(interface);
  return found == memory_.refused_told.end() ? 0 : found->second;
}

void Instance::set_refused_told(const std::string& interface, std::uint64_t packets) {
  memory_.refused_told[interface] = packets;
  changed_ = true;
}

void Instance::clock_stepped(Duration by) {
  if (running_since_ != Timestamp{}) running_since_ += by;
  if (judged_since_ != Timestamp{}) judged_since_ += by;
  if (retry_) *retry_ += by;
  if (memory_.kept_until != Timestamp{}) memory_.kept_until += by;
}

std::string Instance::target(const Situation& situation) const {
  const auto &container = facts_.container, &aside = facts_.aside;
  if (situation.wish == nullptr) return {};
  const std::string& wished = situation.wish->image;
  const bool rejected = !wished.empty() && wished == memory_.rejected_image;
  if (situation.permitted && !rejected) return wished;
  if (aside && (!container || container->fingerprint == memory_.rejected_image)) {
    return aside->fingerprint;
  }
  if (container) return container->fingerprint;
  if (!memory_.remade_image.empty()) return memory_.remade_image;
  return rejected && situation.permitted ? wished : std::string();
}

bool Instance::was_started(const Situation& situation) const {
  return memory_.restarts == situation.wish->restarts && memory_.interfaces == situation.interfaces;
}

Step Instance::take_down() const {
  if (facts_.container && facts_.container->running) return Step::stop;
  return facts_.prepared ? Step::release : Step::none;
}

Step Instance::leave() const {
  if (const Step down = take_down(); down != Step::none) return down;
  if (facts_.container) return Step::remove;
  if (facts_.aside) return Step::remove_aside;
  return facts_.has_volumes ? Step::remove_volumes : Step::forget;
}

Step Instance::decide(const Situation& situation) const {
  const auto &container = facts_.container, &aside = facts_.aside;
  if (ended_) return Step::collect;
  if (situation.wish == nullptr) return leave();
  const InstanceWish& wish = *situation.wish;
  const Step down = take_down();
  if (container && !container->ready) return down != Step::none ? down : Step::remove;
  const std::string target = this->target(situation);
  if (target.empty()) return Step::none;
  const bool imported = situation.imported->count(target) != 0;
  if (container && container->fingerprint != target) {
    // What can be done beforehand shortens the time without the instrument.
    if (!imported && !(aside && aside->fingerprint == target)) return Step::import_image;
    if (down != Step::none) return down;
    return aside ? Step::remove : Step::set_aside;
  }
  if (!container) {
    if (aside && aside->fingerprint == target) return Step::put_back;
    if (!imported) return Step::import_image;
    if (facts_.volumes_for != target) return Step::make_volumes;
    return Step::create;
  }
  if (aside && (aside->fingerprint == target || memory_.finished)) return Step::remove_aside;
  if (!container->running) {
    if (!wish.running || memory_.broken || memory_.finished || !situation.may_run) return down;
    if (facts_.outdated) return down != Step::none ? down : Step::remove;
    // After an update that was taken back they are still those of the other image.
    if (facts_.volumes_for != target) return down != Step::none ? down : Step::make_volumes;
    if (facts_.fresh) return Step::start;
    return facts_.prepared ? Step::release : Step::prepare;
  }
  if (!wish.running || situation.must_stop || !restart_why_.empty() || !was_started(situation)) {
    return Step::stop;
  }
  if (!has_interfaces()) return Step::attach;
  return aside && situation.healthy ? Step::remove_aside : Step::none;
}

// Time in which it could not have told does not count.
bool Instance::is_late(const Situation& situation, Timestamp now) {
  const bool wished = situation.wish != nullptr && situation.wish->running;
  if (!on_trial() || !is_running() || !wished || situation.healthy ||
      facts_.container->fingerprint != situation.wish->image ||
      facts_.attached != facts_.container->process) {
    return false;
  }
  if (situation.deaf) judged_since_ = now;
  return now - judged_since_ > situation.healthy_within;
}

void Instance::name_update(const Situation& situation, Timestamp now) {
  memory_.update = {UpdateState::installing, "image " + situation.version, "", now};
  changed_ = true;
}

Step Instance::next(const Situation& situation, Timestamp now) {
  if (!facts_.known || busy_ != Step::none) return Step::none;
  if (is_running() && situation.healthy && now - running_since_ >= kHealthyForAWhile &&
      memory_.failures != 0) {
    memory_.failures = 0;
    changed_ = true;
  }
  if (is_late(situation, now)) {
    reject(facts_.container->fingerprint,
           "it was not healthy within " + to_words(situation.healthy_within), now);
  }
  if (on_trial() && situation.must_stop &&
      memory_.rejected_image != facts_.container->fingerprint) {
    reject(facts_.container->fingerprint, "its signature holds no more", now);
  }
  if (situation.wish != nullptr && situation.wants_approval &&
      memory_.update.state != UpdateState::pending) {
    memory_.update = {UpdateState::pending, "image " + situation.version, situation.cause, now};
    changed_ = true;
  } else if (!situation.wants_approval && memory_.update.state == UpdateState::pending) {
    memory_.update = {};
    changed_ = true;
  }
  // Also where the rollback copy is there from an update before: one whose image is another one by
  // now, or is tried again.
  if (situation.wish != nullptr && facts_.aside && target(situation) == situation.wish->image &&
      facts_.aside->fingerprint != situation.wish->image &&
      memory_.update.state != UpdateState::installing) {
    name_update(situation, now);
  }
  if (is_running() && situation.healthy) was_healthy_ = true;
  if (retry_ && now < *retry_) return Step::none;
  Step step = decide(situation);
  const bool of_data = step == Step::remove_volumes || step == Step::forget;
  if (of_data && now < memory_.kept_until) step = Step::none;
  if (step == Step::none) {  // nothing is in the way any more
    hindrances_ = 0;
    hindrance_.clear();
    settle(now);
  }
  return step;
}

void Instance::begin(Step step, const Situation& situation, Timestamp now) {
  busy_ = step;
  busy_target_ = target(situation);
  if (step == Step::prepare || step == Step::start) {
    memory_.restarts = situation.wish->restarts;
    memory_.interfaces = situation.interfaces;
    changed_ = true;
  }
  if (step == Step::prepare) facts_.prepared = true;  // whatever comes of it is to be released
  if (step == Step::start) {
    facts_.fresh = false;
    ++memory_.starts;
    facts_.attached = 0;
    was_healthy_ = false;
    if (!facts_.aside) memory_.finished_before = false;
    running_since_ = now;
  }
  if (step == Step::stop) expected_running_ = false;
  // A kill from here on leaves nothing else that tells which image it was.
  if (step == Step::remove && situation.wish != nullptr && !facts_.aside) {
    memory_.remade_image = facts_.container->fingerprint;
    changed_ = true;
  }
  if (step == Step::set_aside) {
    hindrances_ = 0;  // what was in the way before is no matter of this image
    name_update(situation, now);
  }
  settle(now);
}

InstanceState Instance::state() const {
  if (!facts_.known && busy_ == Step::none) return memory_.state;
  switch (busy_) {
    case Step::stop:
      return InstanceState::stopping;
    case Step::prepare:
    case Step::start:
      return InstanceState::starting;
    default:
      break;
  }
  if (is_running()) {
    const bool complete = has_interfaces() || !hindrance_.empty();
    return complete ? InstanceState::running : InstanceState::starting;
  }
  if (memory_.broken) return InstanceState::broken;
  if (memory_.finished) return InstanceState::finished;
  if (retry_ || ended_) return InstanceState::errored;
  return facts_.container || facts_.aside ? InstanceState::installed : InstanceState::created;
}

void Instance::settle(Timestamp now) {
  const InstanceState state = this->state();
  if (state == memory_.state && memory_.since != Timestamp{}) return;
  memory_.state = state;
  memory_.since = now;
  changed_ = true;
}

}  // namespace beaconry
