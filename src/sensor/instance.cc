#include "sensor/instance.h"

#include <algorithm>
#include <utility>

#include "bus/topics.h"

namespace beaconry {
namespace {

constexpr auto kHealthyForAWhile = std::chrono::seconds{60};
constexpr auto kDataKept = std::chrono::hours{24};
constexpr auto kLongestBackoff = std::chrono::minutes{5};
// So often the runtime's state is to blame before a new image is.
constexpr unsigned kPatience = 5;
constexpr std::string_view kAside = "-old";

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

std::string_view to_string(Step step) {
  constexpr std::string_view kWords[] = {"do nothing",
                                         "import the image",
                                         "make the volumes",
                                         "make the container",
                                         "set up the interfaces",
                                         "start it",
                                         "complete the interfaces",
                                         "stop it",
                                         "collect its log",
                                         "release the interfaces",
                                         "set the container aside",
                                         "put the old container back",
                                         "remove the container",
                                         "remove the rollback copy",
                                         "remove the volumes",
                                         "forget it"};
  return kWords[static_cast<std::size_t>(step)];
}

Duration backoff(std::uint64_t failures) {
  const auto shift = std::min<std::uint64_t>(failures == 0 ? 0 : failures - 1, 16);
  return std::min<Duration>(std::chrono::seconds{1} * (std::int64_t{1} << shift), kLongestBackoff);
}

std::string container_name(std::string_view instance) {
  std::string name(instance);
  if (const std::size_t at = name.rfind('_'); at != std::string::npos) name[at] = '-';
  return name;
}

std::string aside_name(std::string_view instance) {
  return container_name(instance) + std::string(kAside);
}

std::string instance_of_container(std::string_view container, bool& aside) {
  aside = container.ends_with(kAside);
  if (aside) container.remove_suffix(kAside.size());
  std::string name(container);
  const std::size_t at = name.rfind('-');
  if (at == std::string::npos) return {};
  name[at] = '_';
  return InstanceName::parse(name) ? name : std::string();
}

// A file can be lost or cut off by mistake, and data that was removed does not come back.
void Instance::follow_file(const InstanceWish* wish, Timestamp now) {
  const bool of_file = wish != nullptr && !wish->source.empty();
  if (wish == nullptr && memory_.of_file) {
    memory_.kept_until = now + kDataKept;
    news_.emplace_back("undefined",
                       "its file defines it no more: it is removed, but its data is "
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

void Instance::drop_data() {
  memory_.kept_until = {};
  changed_ = true;
}

void Instance::take_wish(const InstanceWish* wish, Timestamp now_is) {
  follow_file(wish, now_is);
  const std::string image = wish == nullptr ? "" : wish->image;
  const std::string now = wish == nullptr ? "" : digest(*wish);
  if (now == memory_.wish && (memory_.wished_image == image)) return;
  if (image != memory_.wished_image) {
    memory_.rejected_image.clear();
    memory_.rejected_why.clear();
    memory_.update = {};
  }
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

void Instance::retry_update() {
  if (memory_.rejected_image.empty()) return;
  memory_.rejected_image.clear();
  memory_.rejected_why.clear();
  retry_.reset();
  changed_ = true;
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
  return rejected && situation.permitted ? wished : std::string();
}

bool Instance::was_started(const InstanceWish& wish) const {
  return memory_.restarts == wish.restarts &&
         memory_.interfaces == interfaces_json(wish.interfaces);
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
    if (facts_.fresh) return Step::start;
    return facts_.prepared ? Step::release : Step::prepare;
  }
  if (!wish.running || situation.must_stop || !restart_why_.empty() || !was_started(wish)) {
    return Step::stop;
  }
  if (facts_.attached != container->process) return Step::attach;
  return aside && situation.healthy ? Step::remove_aside : Step::none;
}

Step Instance::next(const Situation& situation, Timestamp now) {
  if (!facts_.known || busy_ != Step::none) return Step::none;
  const bool wished = situation.wish != nullptr && situation.wish->running;
  if (is_running() && situation.healthy && now - running_since_ >= kHealthyForAWhile &&
      memory_.failures != 0) {
    memory_.failures = 0;
    changed_ = true;
  }
  if (on_trial() && is_running() && wished && !situation.healthy &&
      facts_.container->fingerprint == situation.wish->image &&
      now - running_since_ > situation.healthy_within) {
    reject(facts_.container->fingerprint,
           "it was not healthy within " + to_words(situation.healthy_within), now);
  }
  if (on_trial() && situation.must_stop &&
      memory_.rejected_image != facts_.container->fingerprint) {
    reject(facts_.container->fingerprint, "its signature holds no more", now);
  }
  if (situation.wish != nullptr && situation.wants_approval &&
      memory_.update.state != UpdateState::pending) {
    memory_.update = {UpdateState::pending, "image " + situation.version, situation.cause, now, {}};
    changed_ = true;
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
    memory_.interfaces = interfaces_json(situation.wish->interfaces);
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
  if (step == Step::set_aside) {
    memory_.update = {UpdateState::installing, "image " + situation.version, "", now, {}};
    changed_ = true;
  }
  settle(now);
}

void Instance::see(const std::optional<InstanceFacts::Container>& container,
                   const std::optional<InstanceFacts::Container>& aside, Timestamp now) {
  const bool first = !facts_.known && !expected_running_;
  const bool was_running = expected_running_;
  const bool was_away = std::exchange(away_, false);
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

void Instance::finish(const StepOutcome& outcome, const Situation& situation, Timestamp now) {
  busy_ = Step::none;
  if (!outcome.looked) {  // the runtime is away: nothing is known, and nobody is to blame
    runtime_away();
    settle(now);
    return;
  }
  if (outcome.step == Step::start && outcome.done) expected_running_ = true;
  see(outcome.container, outcome.aside, now);
  if (!outcome.done) {
    const std::string cause = outcome.done.error().message();
    const bool of_image = outcome.step == Step::import_image ||
                          outcome.step == Step::make_volumes || outcome.step == Step::create ||
                          outcome.step == Step::start;
    const bool passing = outcome.done.error().kind == ErrorKind::limit && hindrances_ < kPatience;
    if (of_image && !passing && facts_.aside && !busy_target_.empty() &&
        busy_target_ == memory_.wished_image && busy_target_ != facts_.aside->fingerprint) {
      reject(busy_target_, cause, now);
    } else if (outcome.step == Step::start && !passing) {
      memory_.last_log = outcome.log;
      failed(cause, situation, now);
    } else {
      hindered("could not " + std::string(to_string(outcome.step)) + ": " + cause, now);
    }
    settle(now);
    return;
  }
  retry_.reset();
  switch (outcome.step) {
    case Step::make_volumes:
      facts_.has_volumes = true;
      facts_.volumes_for = busy_target_;
      break;
    case Step::create:
      facts_.outdated = false;
      break;
    case Step::prepare:
      facts_.fresh = true;
      break;
    case Step::attach:
      if (facts_.container) facts_.attached = facts_.container->process;
      hindrances_ = 0;
      hindrance_.clear();
      if (!memory_.cause.empty()) news_.emplace_back("running", "runs again");
      memory_.cause.clear();
      break;
    case Step::collect:
      facts_.prepared = facts_.fresh = false;
      ended(outcome, situation, now);
      break;
    case Step::release:
      facts_.prepared = facts_.fresh = false;
      break;
    case Step::remove_aside:
      if (situation.wish == nullptr) break;
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
  memory_.rejected_why = why;
  memory_.update.state = UpdateState::failed;
  memory_.update.reason = why;
  memory_.update.since = now;
  memory_.failures = 0;
  retry_.reset();
  changed_ = true;
  news_.emplace_back("update_rolled_back",
                     memory_.update.what + " is taken back to the one before: " + why);
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
    const bool complete = facts_.attached == facts_.container->process || !hindrance_.empty();
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
