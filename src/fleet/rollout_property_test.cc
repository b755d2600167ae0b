#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "fleet/rollout.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using Phase = Rollout::Phase;
using Stage = Rollout::Stage;

const Timestamp kStart = *parse_rfc3339("2026-11-20T08:00:00Z");

RolloutPlan plan() {
  RolloutPlan out;
  const int sensors = *rc::gen::inRange(0, 9);
  for (int i = 0; i < sensors; ++i)
    out.sensors.push_back(std::string(1, static_cast<char>('a' + i)));
  out.canary = *rc::gen::inRange<std::size_t>(0, 4);
  out.max_parallel = *rc::gen::inRange<std::size_t>(1, 5);
  out.max_failures = *rc::gen::inRange<std::size_t>(0, 3);
  out.min_healthy_time = std::chrono::minutes(*rc::gen::inRange(0, 10));
  out.healthy_deadline = out.min_healthy_time + std::chrono::minutes(*rc::gen::inRange(1, 20));
  out.auto_revert = *rc::gen::arbitrary<bool>();
  return out;
}

// Anything may happen to any sensor, at any look.
RolloutLook any_look(const RolloutPlan& plan) {
  RolloutLook look;
  for (const std::string& sensor : plan.sensors) {
    const unsigned bits = *rc::gen::inRange(0U, 256U);
    if (bits == 255) continue;  // revoked
    RolloutSeen seen{(bits & 1) != 0 || (bits & 16) != 0,
                     (bits & 2) != 0 || (bits & 32) != 0,
                     (bits & 4) != 0 || (bits & 64) != 0,
                     {},
                     {}};
    if ((bits & 0x8f) == 0x88) seen.failed = "no";
    if ((bits & 0x8f) == 0x87) seen.widened = {"b_0: " + std::to_string(bits & 0x70)};
    look.emplace(sensor, std::move(seen));
  }
  return look;
}

void anything_by_a_person(Rollout& rollout, Timestamp now) {
  switch (*rc::gen::inRange(0, 12)) {
    case 0:
      (void)rollout.pause("why not", now);
      break;
    case 1:
      (void)rollout.resume(now);
      break;
    case 2:
      (void)rollout.approve(now);
      break;
    case 3:
      if (*rc::gen::inRange(0, 4) == 0) (void)rollout.abort("no", now);
      break;
    default:
      break;
  }
}

std::set<std::string> holders(const Rollout& rollout) {
  std::set<std::string> all;
  for (const auto& [sensor, turn] : rollout.turns()) {
    if (rollout.holds(sensor)) all.insert(sensor);
  }
  return all;
}

RC_GTEST_PROP(Rollout, NeverChangesMoreThanItMayAtOnceAndTheCanariesFirst, ()) {
  const RolloutPlan wish = plan();
  Rollout rollout = Rollout::make(wish, kStart).value();
  Timestamp now = kStart;
  const int looks = *rc::gen::inRange(0, 60);
  for (int i = 0; i < looks; ++i) {
    const auto before = holders(rollout);
    const Phase was = rollout.phase();
    rollout.step(any_look(wish), now);
    RC_ASSERT(rollout.at_once() <= wish.max_parallel);
    std::size_t done = 0, changing = 0;
    for (const auto& [sensor, turn] : rollout.turns()) {
      if (turn.stage == Stage::done) ++done;
      if (turn.stage == Stage::changing) ++changing;
    }
    // Nobody got it beyond the canaries before these were done, and nobody in a pause.
    std::size_t more = 0;
    for (const std::string& sensor : holders(rollout))
      more += before.count(sensor) == 0 ? 1 : 0;
    if (more > 0 && done < wish.canary) RC_ASSERT(done + changing <= wish.canary);
    if (more > 0) RC_ASSERT(was == Phase::running || was == Phase::done);
    now += std::chrono::minutes(*rc::gen::inRange(0, 8));
    anything_by_a_person(rollout, now);
    RC_ASSERT(rollout.at_once() <= wish.max_parallel);
  }
  const auto again = Rollout::parse(rollout.to_json());
  RC_ASSERT(again.has_value() && again->to_json() == rollout.to_json());
}

RC_GTEST_PROP(Rollout, EndsWhateverBecomesOfItsSensorsOnceSomeAreWell, ()) {
  const RolloutPlan wish = plan();
  Rollout rollout = Rollout::make(wish, kStart).value();
  Timestamp now = kStart;
  const auto after = *rc::gen::inRange(0, 30);
  for (int i = 0; i < after; ++i)
    rollout.step(any_look(wish), now += 1min);
  // From here on each stays as it is: well, or sick, or away, or failing; the canaries' number
  // well.
  RolloutLook look = any_look(wish);
  std::size_t well = 0;
  std::vector<RolloutSeen*> liars;  // want something else approved at each look
  for (const std::string& sensor : wish.sensors) {
    RolloutSeen& seen = look[sensor];
    seen.widened.clear();
    const Stage stage = rollout.turns().at(sensor).stage;
    // One in the midst of its turn may have no time left to be well for long enough.
    const bool may = stage == Stage::waiting || stage == Stage::gone;
    if (may && well++ < wish.canary) {
      seen = {true, true, true, {}, {}};
    } else if (*rc::gen::inRange(0, 4) == 0) {
      liars.push_back(&seen);
    }
  }
  const auto most = static_cast<int>(wish.sensors.size() + 2) * 2;
  for (int i = 0; i < most * 40 && !rollout.has_ended(); ++i) {
    for (RolloutSeen* liar : liars)
      liar->widened = {"b_0: now " + std::to_string(i)};
    rollout.step(look, now += 1min);
    if (rollout.phase() == Phase::paused) RC_ASSERT(rollout.resume(now).has_value());
    if (rollout.phase() == Phase::approval) RC_ASSERT(rollout.approve(now).has_value());
  }
  RC_LOG() << to_string(rollout.phase()) << ": " << rollout.words();
  for (const auto& [sensor, turn] : rollout.turns())
    RC_LOG() << "\n" << sensor << ' ' << to_string(turn.stage) << ' ' << turn.words;
  if (well >= wish.canary) RC_ASSERT(rollout.has_ended());
}

RC_GTEST_PROP(Rollout, AbortedGivesBackToAllWhatWas, ()) {
  const RolloutPlan wish = plan();
  Rollout rollout = Rollout::make(wish, kStart).value();
  Timestamp now = kStart;
  const auto after = *rc::gen::inRange(0, 60);
  for (int i = 0; i < after; ++i)
    rollout.step(any_look(wish), now += 1min);
  if (!rollout.abort("no", now)) return;
  const auto most = static_cast<int>(wish.sensors.size() + 2) * 40;
  for (int i = 0; i < most && !rollout.has_ended(); ++i) {
    const auto before = holders(rollout);
    rollout.step(any_look(wish), now += 1min);
    for (const std::string& sensor : holders(rollout))
      RC_ASSERT(before.count(sensor) == 1);  // only ever fewer
    RC_ASSERT(rollout.at_once() <= wish.max_parallel);
  }
  RC_ASSERT(rollout.phase() == Phase::aborted || rollout.phase() == Phase::reverted);
  RC_ASSERT(holders(rollout).empty());
}

}  // namespace
}  // namespace beaconry
