#include "fleet/rollout.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

using Phase = Rollout::Phase;
using Stage = Rollout::Stage;

constexpr std::size_t kMostSensors = 100'000, kMostWidened = 1000;
constexpr Duration kLongestDeadline = std::chrono::hours{24 * 7};

tl::unexpected<Error> not_now(const char* what, Phase phase) {
  return fail(ErrorKind::conflict, what, "rollout",
              "it is " + std::string(to_string(phase)) + ", where that cannot be done");
}

std::string list_words(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& one : all)
    text += (text.empty() ? "" : "; ") + one;
  return text;
}

std::string instance_of(const std::string& widened) {
  return widened.substr(0, widened.find(':'));
}

}  // namespace

Result<void> RolloutPlan::check() const {
  const auto refuse = [](std::string cause) {
    return fail(ErrorKind::usage, "plan", "rollout", std::move(cause));
  };
  if (max_parallel == 0) return refuse("max_parallel is 0: nobody would ever get it");
  if (sensors.size() > kMostSensors) return refuse("more than 100,000 sensors");
  if (std::set<std::string>(sensors.begin(), sensors.end()).size() != sensors.size())
    return refuse("a sensor is named twice");
  if (widened.size() > kMostWidened) return refuse("more than 1,000 widened permissions");
  if (min_healthy_time < Duration{0} || healthy_deadline <= min_healthy_time)
    return refuse("healthy_deadline must be longer than min_healthy_time");
  if (healthy_deadline > kLongestDeadline) return refuse("healthy_deadline is above 7 days");
  return {};
}

Result<Rollout> Rollout::make(RolloutPlan plan, Timestamp now) {
  if (auto right = plan.check(); !right) return tl::unexpected<Error>(std::move(right.error()));
  Rollout out;
  out.plan_ = std::move(plan);
  for (const std::string& sensor : out.plan_.sensors)
    out.turns_[sensor].since = now;
  out.since_ = now;
  out.widened_ = out.plan_.widened;
  if (!out.widened_.empty())
    out.enter(Phase::approval, "it may do more: " + list_words(out.widened_), now);
  return out;
}

bool Rollout::step(const RolloutLook& look, Timestamp now) {
  changed_ = false;
  if (phase_ == Phase::reverted || phase_ == Phase::aborted) return false;
  for (auto& [sensor, turn] : turns_) {
    const auto found = look.find(sensor);
    if (found == look.end()) {
      if (turn.stage != Stage::gone) set(turn, Stage::gone, "it was revoked", now);
      continue;
    }
    if (turn.stage == Stage::gone) set(turn, Stage::waiting, {}, now);
    if (turn.stage == Stage::changing) judge(turn, found->second, now);
    if (turn.stage == Stage::returning) judge_return(turn, found->second, now);
  }
  note_widened(look, now);
  stop_if_failed(now);
  if (phase_ == Phase::reverting) begin_returns(now);
  if (phase_ == Phase::running || phase_ == Phase::done) begin_turns(look, now);
  end_if_over(look, now);
  return changed_;
}

// A person's time is not the sensor's. An approval is of all that an image may do: who was given it
// and wants more of the same instance would keep everybody waiting for as long as it likes.
bool Rollout::waits_for_approval(Turn& turn, const RolloutSeen& seen, Timestamp now) {
  bool waits = false;
  for (const std::string& one : seen.widened) {
    if (std::find(approved_.begin(), approved_.end(), one) != approved_.end()) continue;
    const std::string instance = instance_of(one);
    if (turn.answered.contains(instance)) {
      fail_turn(turn, "it wants more than was approved: " + one, now);
      return true;
    }
    if (turn.asked.insert(instance).second) changed_ = true;
    waits = true;
  }
  if (!waits) return false;
  turn.since = now;
  turn.healthy_since.reset();
  return true;
}

void Rollout::judge(Turn& turn, const RolloutSeen& seen, Timestamp now) {
  if (seen.unknown || waits_for_approval(turn, seen, now)) return;
  if (!seen.failed.empty()) return fail_turn(turn, seen.failed, now);
  const bool well = seen.reachable && seen.current && seen.healthy;
  const auto well_since = turn.healthy_since;
  if (!well) {
    turn.healthy_since.reset();
  } else if (!turn.healthy_since || *turn.healthy_since > now) {
    turn.healthy_since = now;
  }
  // A server that restarts shall know it.
  if (turn.healthy_since != well_since) changed_ = true;
  if (turn.healthy_since && now - *turn.healthy_since >= plan_.min_healthy_time)
    return set(turn, Stage::done, {}, now);
  if (now < turn.since) turn.since = now;  // the clock was set back
  if (now - turn.since < plan_.healthy_deadline) return;
  const char* why = !seen.reachable ? "it was not heard of"
                    : !seen.current ? "it did not get to it"
                    : !seen.healthy ? "it was not healthy"
                                    : "it was not healthy for long enough";
  fail_turn(turn, std::string(why) + " within " + to_words(plan_.healthy_deadline), now);
}

void Rollout::fail_turn(Turn& turn, std::string words, Timestamp now) {
  set(turn, Stage::failed, std::move(words), now);
  turn.failed = true;
}

// What was is no trial: who is away or takes long has it as its newest wish, and keeps nobody.
void Rollout::judge_return(Turn& turn, const RolloutSeen& seen, Timestamp now) {
  if (now < turn.since) turn.since = now;
  // Not at the look that began it: that one was of before.
  if (now == turn.since) return;
  if (!seen.reachable || seen.current || now - turn.since >= plan_.healthy_deadline)
    set(turn, Stage::returned, turn.words, now);
}

void Rollout::note_widened(const RolloutLook& look, Timestamp now) {
  if (phase_ == Phase::reverting) return;
  bool more = false;
  for (const auto& [sensor, turn] : turns_) {
    const auto seen = look.find(sensor);
    if (turn.stage != Stage::changing || seen == look.end()) continue;
    for (const std::string& one : seen->second.widened) {
      const auto knows = [&](const std::vector<std::string>& all) {
        return std::find(all.begin(), all.end(), one) != all.end();
      };
      if (knows(widened_) || knows(approved_) || widened_.size() >= kMostWidened) continue;
      widened_.push_back(one);
      more = changed_ = true;
    }
  }
  // One that is paused waits for a person already; resume() goes on to the approval.
  if (more && phase_ != Phase::approval && phase_ != Phase::paused)
    enter(Phase::approval, "it may do more: " + list_words(widened_), now);
}

void Rollout::stop_if_failed(Timestamp now) {
  if (phase_ == Phase::reverting) return;
  const std::size_t failed = failures();
  const bool trial = count(Stage::done) < plan_.canary;
  const bool stop = phase_ != Phase::done && failed > forgiven_ &&
                    (trial || failed - forgiven_ > plan_.max_failures);
  if (!stop) {
    // Who failed alone goes back alone.
    std::size_t places = plan_.auto_revert ? free_places() : 0;
    for (auto& [sensor, turn] : turns_) {
      if (turn.stage != Stage::failed || places == 0) continue;
      set(turn, Stage::returning, turn.words, now);
      --places;
    }
    return;
  }
  std::string words = std::to_string(failed) + (failed == 1 ? " sensor" : " sensors") + " failed";
  for (const auto& [sensor, turn] : turns_) {
    if (!turn.failed) continue;
    words += ", the first of them " + sensor.substr(0, 16) + ": " + turn.words;
    break;
  }
  if (plan_.auto_revert) {
    revert(Phase::reverted, std::move(words), now);
  } else if (phase_ == Phase::running || phase_ == Phase::approval) {
    enter(Phase::paused, words + "; resume to go on in spite of it, abort to take all back", now);
  }
}

void Rollout::begin_turns(const RolloutLook& look, Timestamp now) {
  const std::size_t done = count(Stage::done);
  std::size_t places = plan_.max_parallel;
  if (done < plan_.canary) places = std::min(places, plan_.canary - done);
  const std::size_t taken = at_once();
  places = places > taken ? places - taken : 0;
  for (const std::string& sensor : plan_.sensors) {
    Turn& turn = turns_.find(sensor)->second;
    if (turn.stage != Stage::waiting) continue;
    const RolloutSeen& seen = look.find(sensor)->second;
    if (!seen.reachable || !seen.healthy) {
      const char* why = seen.reachable ? "it is not healthy: its turn comes when it is"
                                       : "it is away: its turn comes when it is back";
      if (turn.words != why) set(turn, Stage::waiting, why, now);
      continue;
    }
    if (places == 0) continue;
    set(turn, Stage::changing, {}, now);
    --places;
  }
}

// Those in the midst of it keep their places; then those that failed.
void Rollout::begin_returns(Timestamp now) {
  for (auto& [sensor, turn] : turns_) {
    if (turn.stage == Stage::changing) set(turn, Stage::returning, turn.words, now);
  }
  std::size_t places = free_places();
  for (const Stage stage : {Stage::failed, Stage::done}) {
    for (auto& [sensor, turn] : turns_) {
      if (turn.stage != stage || places == 0) continue;
      set(turn, Stage::returning, turn.words, now);
      --places;
    }
  }
}

void Rollout::end_if_over(const RolloutLook& look, Timestamp now) {
  if (phase_ == Phase::reverting) {
    const bool over = std::none_of(turns_.begin(), turns_.end(), [](const auto& each) {
      const Stage stage = each.second.stage;
      return stage == Stage::changing || stage == Stage::done || stage == Stage::failed ||
             stage == Stage::returning;
    });
    if (over) enter(end_, words_, now);
    return;
  }
  if (phase_ != Phase::running || at_once() > 0) return;
  std::size_t left = 0, away = 0;
  for (const auto& [sensor, turn] : turns_) {
    if (turn.stage != Stage::waiting) continue;
    ++left;
    const RolloutSeen& seen = look.find(sensor)->second;
    if (!seen.reachable || !seen.healthy) ++away;
  }
  if (left != away) return;
  // Without its canaries it was never tried: it goes on waiting for some.
  if (left > 0 && count(Stage::done) < plan_.canary) return;
  enter(Phase::done,
        left == 0 ? "" : std::to_string(left) + " that are away or sick get it when they are not",
        now);
}

Result<void> Rollout::pause(const std::string& why, Timestamp now) {
  if (phase_ != Phase::running) return not_now("pause", phase_);
  enter(Phase::paused, why, now);
  return {};
}

Result<void> Rollout::resume(Timestamp now) {
  if (phase_ != Phase::paused) return not_now("resume", phase_);
  forgiven_ = failures();
  if (widened_.empty()) {
    enter(Phase::running, {}, now);
  } else {
    enter(Phase::approval, "it may do more: " + list_words(widened_), now);
  }
  return {};
}

Result<void> Rollout::abort(const std::string& why, Timestamp now) {
  if (has_ended() || (phase_ == Phase::reverting && end_ == Phase::aborted))
    return not_now("abort", phase_);
  revert(Phase::aborted, why, now);
  return {};
}

Result<void> Rollout::approve(Timestamp now) {
  if (phase_ != Phase::approval) return not_now("approve", phase_);
  approved_.insert(approved_.end(), widened_.begin(), widened_.end());
  widened_.clear();
  for (auto& [sensor, turn] : turns_) {
    if (turn.stage != Stage::changing) continue;
    turn.since = now;
    turn.answered.merge(std::exchange(turn.asked, {}));
  }
  enter(Phase::running, {}, now);
  return {};
}

void Rollout::give_time(Timestamp now) {
  for (auto& [sensor, turn] : turns_) {
    if (turn.stage != Stage::changing && turn.stage != Stage::returning) continue;
    turn.since = now;
    turn.healthy_since.reset();
  }
}

void Rollout::give_up(const std::string& why, Timestamp now) {
  for (auto& [sensor, turn] : turns_)
    set(turn, Stage::gone, why, now);
  enter(Phase::aborted, why, now);
}

void Rollout::revert(Phase end, std::string words, Timestamp now) {
  end_ = end;
  enter(Phase::reverting, std::move(words), now);
  begin_returns(now);
}

bool Rollout::holds(std::string_view sensor) const {
  const auto turn = turns_.find(sensor);
  if (turn == turns_.end()) return phase_ == Phase::done;  // came later, into what holds by now
  return turn->second.stage == Stage::changing || turn->second.stage == Stage::done ||
         turn->second.stage == Stage::failed;
}

bool Rollout::has_ended() const {
  return phase_ == Phase::done || phase_ == Phase::reverted || phase_ == Phase::aborted;
}

std::size_t Rollout::at_once() const {
  return count(Stage::changing) + count(Stage::returning);
}

std::size_t Rollout::free_places() const {
  const std::size_t taken = at_once();
  return plan_.max_parallel > taken ? plan_.max_parallel - taken : 0;
}

std::size_t Rollout::failures() const {
  return static_cast<std::size_t>(std::count_if(
      turns_.begin(), turns_.end(), [](const auto& each) { return each.second.failed; }));
}

std::size_t Rollout::count(Stage stage) const {
  return static_cast<std::size_t>(std::count_if(
      turns_.begin(), turns_.end(), [&](const auto& each) { return each.second.stage == stage; }));
}

void Rollout::enter(Phase phase, std::string words, Timestamp now) {
  phase_ = phase;
  words_ = std::move(words);
  since_ = now;
  changed_ = true;
}

void Rollout::set(Turn& turn, Stage stage, std::string words, Timestamp now) {
  turn.stage = stage;
  turn.words = std::move(words);
  turn.since = now;
  turn.healthy_since.reset();
  if (stage == Stage::changing || stage == Stage::gone) turn.failed = false;
  if (stage == Stage::changing) turn.asked = turn.answered = {};
  changed_ = true;
}

}  // namespace beaconry
