#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

// How a change goes over a fleet.
struct RolloutPlan {
  std::vector<std::string> sensors;  // fingerprints, in the order in which they get it
  std::size_t canary = 1;            // so many must be done before the others begin; 0: none
  std::size_t max_parallel = 1;      // sensors that change at once, also back
  std::size_t max_failures =
      0;  // more than this many, or one before the canaries are done, stop it
  Duration min_healthy_time = std::chrono::minutes{5};   // well for so long without a break: done
  Duration healthy_deadline = std::chrono::minutes{30};  // not done by then: failed
  bool auto_revert = true;                               // else a stopped one pauses for a person
  std::vector<std::string> widened;  // permissions that it adds, in words: waits for approve()

  Result<void> check() const;
};

// What a sensor is at one look. A sensor that is missing from a look was revoked.
struct RolloutSeen {
  bool reachable = false;
  bool healthy = false;
  bool current = false;  // has the newest version that was made for it, and nothing is changing
  std::string failed;    // it says itself that it could not take it: why
  std::vector<std::string> widened;  // waits for an approval of these: "beacon_0: what"
  bool unknown = false;  // nobody could tell yet, as the server has just started: no verdict
};
using RolloutLook = std::map<std::string, RolloutSeen, std::less<>>;

// One change on its way: pure, stepped by looks at the fleet and the server's clock. The caller
// makes each sensor's document by holds(), at once after every call that says that it changed.
class Rollout {
 public:
  enum class Phase : std::uint8_t {
    running,
    paused,     // begins no more turns; those under way end
    approval,   // waits for a person: see widened()
    reverting,  // what got it gives it back
    done,       // all who could be reached have it; latecomers still get their turns
    reverted,
    aborted,  // reverted on command
  };
  enum class Stage : std::uint8_t {
    waiting,  // also one that is away or sick: the others go on
    changing,
    done,
    failed,  // has it still, unless taken back
    returning,
    returned,  // has what was
    gone,      // revoked
  };
  struct Turn {
    Stage stage = Stage::waiting;
    Timestamp since{};
    std::optional<Timestamp> healthy_since;
    bool failed = false;  // whatever became of it then
    std::string words;    // why it waits or failed
    // Instances that it wants an approval for, and those for which it was given in this turn.
    std::set<std::string> asked, answered;
  };

  static Result<Rollout> make(RolloutPlan plan, Timestamp now);
  static Result<Rollout> parse(const std::string& json);
  std::string to_json() const;

  // Whether anything changed.
  bool step(const RolloutLook& look, Timestamp now);
  // Errors where the phase does not allow it.
  Result<void> pause(const std::string& why, Timestamp now);
  Result<void> resume(Timestamp now);  // forgives what failed so far
  Result<void> abort(const std::string& why, Timestamp now);
  Result<void> approve(Timestamp now);
  // Until now nobody could be told of the change: that time was no sensor's.
  void give_time(Timestamp now);
  // Nobody is left who could have it: ends at once.
  void give_up(const std::string& why, Timestamp now);

  // Whether the change is part of what this sensor shall be.
  bool holds(std::string_view sensor) const;
  // Ended, apart from latecomers.
  bool has_ended() const;
  std::size_t at_once() const;  // sensors that change at present, also back
  Phase phase() const { return phase_; }
  const std::string& words() const { return words_; }  // why it is in this phase
  Timestamp since() const { return since_; }
  const RolloutPlan& plan() const { return plan_; }
  const std::map<std::string, Turn, std::less<>>& turns() const { return turns_; }
  // What waits for approve().
  std::vector<std::string> widened() const { return widened_; }

 private:
  void enter(Phase phase, std::string words, Timestamp now);
  void set(Turn& turn, Stage stage, std::string words, Timestamp now);
  bool waits_for_approval(Turn& turn, const RolloutSeen& seen, Timestamp now);
  void judge(Turn& turn, const RolloutSeen& seen, Timestamp now);
  void judge_return(Turn& turn, const RolloutSeen& seen, Timestamp now);
  void note_widened(const RolloutLook& look, Timestamp now);
  void stop_if_failed(Timestamp now);
  void begin_turns(const RolloutLook& look, Timestamp now);
  void begin_returns(Timestamp now);
  void end_if_over(const RolloutLook& look, Timestamp now);
  void revert(Phase end, std::string words, Timestamp now);
  void fail_turn(Turn& turn, std::string words, Timestamp now);
  std::size_t count(Stage stage) const;
  std::size_t failures() const;
  std::size_t free_places() const;

  RolloutPlan plan_;
  Phase phase_ = Phase::running;
  Phase end_ = Phase::reverted;  // what `reverting` ends in
  Timestamp since_{};
  std::string words_;
  std::size_t forgiven_ = 0;
  std::vector<std::string> widened_, approved_;
  std::map<std::string, Turn, std::less<>> turns_;
  bool changed_ = false;
};

std::string_view to_string(Rollout::Phase phase);
std::string_view to_string(Rollout::Stage stage);

}  // namespace beaconry
