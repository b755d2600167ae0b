#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "sensor/desired_state.h"
#include "sensor/reported_state.h"

namespace beaconry {

// One thing that is done to an instance; each is idempotent, and what holds is looked at again
// before the next one.
enum class Step : std::uint8_t {
  none,
  import_image,    // into the runtime
  make_volumes,    // or resize them
  create,          // the container of the target image
  prepare,         // interfaces and services for the next start
  start,           //
  attach,          // addresses of the running container's interfaces
  stop,            //
  collect,         // the log of one that ended, and `release`
  release,         // interfaces back to the host
  set_aside,       // the container becomes the rollback copy
  put_back,        // the rollback copy becomes the container
  remove,          // the container
  remove_aside,    // the rollback copy
  remove_volumes,  //
  forget,          // all else that is kept of an instance
};
std::string_view to_string(Step step);  // "start"

// What is so, as the runtime tells or as was done since the daemon's start.
struct InstanceFacts {
  struct Container {
    std::string fingerprint;  // of its image
    std::string made;         // digest of what it was made of
    bool ready = false;       // completely made
    bool running = false;
    int process = 0;
    friend bool operator==(const Container&, const Container&) = default;
  };
  bool known = false;                         // the runtime was asked
  std::optional<Container> container, aside;  // aside: the rollback copy
  bool has_volumes = false;                   // some
  std::string volumes_for;                    // image whose quotas they were made for
  bool prepared = false;                      // interfaces are there that must be released
  bool fresh = false;                         // and no start has used them yet
  bool outdated = false;                      // is to be made anew before its next start
  int attached = 0;                           // process whose interfaces are complete
};

// What survives the daemon: JSON in a file of the instance's folder.
struct InstanceMemory {
  std::string wish, wished_image;  // digest of the last wish that was seen
  std::uint64_t restarts = 0;      // as the wish had it at the last start
  std::string interfaces;          // that the last start was given
  std::uint64_t starts = 0, failures = 0;
  bool broken = false, finished = false;
  bool finished_before = false;  // what the wished one takes the place of had ended by itself
  std::string cause, last_log;   // of the last failure
  std::string rejected_image;
  // It was rejected since the runtime could not make or start it; and so it was with what was there
  // before: then nothing speaks against the image, and it is tried again once the other one runs.
  bool rejected_by_runtime = false, in_doubt = false;
  std::string remade_image;                     // of a container that is taken away to be made anew
  std::string proven_image, proven_interfaces;  // that ran last without being on trial
  std::string permitted_image, permissions;     // the last that was let in, and its manifest (JSON)
  bool of_file = false;                         // a file defined it
  std::map<std::string, std::uint64_t> refused_told;  // by interface: refused_sent as told last
  Timestamp kept_until{};  // its data, which no file defines any more; zero: it goes at once
  InstanceState state = InstanceState::created;
  Timestamp since{};
  InstanceReport::Update update;

  std::string to_json() const;
  static Result<InstanceMemory> parse(const std::string& json);
};

// All that a decision needs beside the instance itself.
struct Situation {
  const InstanceWish* wish = nullptr;  // none: it shall not be
  bool permitted = false;              // the wished image may take the place of what is there
  bool may_run = false;                // what is there may be started
  bool must_stop = false;  // it is known and not to be trusted, so it does not run on either
  std::string cause;       // why not
  bool wants_approval = false;
  std::string version;     // of the wished image
  std::string interfaces;  // that a start is to be given (JSON)
  const std::set<std::string>* imported = nullptr;
  bool healthy = false;  // by its own words, since its start
  bool deaf = false;     // nobody's words can be heard now
  std::chrono::seconds healthy_within{60};
  unsigned broken_after = 5;
};

// What came of a step.
struct StepOutcome {
  Step step = Step::none;
  std::string image;  // that it was done with
  Result<void> done;
  bool looked = false;  // the runtime answered afterwards: the two below are so
  std::optional<InstanceFacts::Container> container, aside;
  std::string log;            // of `collect`
  std::optional<int> status;  // the same: the exit status that the log tells
};

// One instance's state machine: facts, memory and wish give the next step; what came of it gives
// facts and memory. Pure: no threads, no clock, no disk.
class Instance {
 public:
  Instance(std::string name, InstanceMemory memory)
      : name_(std::move(name)), memory_(std::move(memory)) {}

  // To be told of every wish, also the unchanged: another one ends waiting and BROKEN.
  void take_wish(const InstanceWish* wish, Timestamp now);
  // What the runtime says, while no step is under way.
  void look(const std::optional<InstanceFacts::Container>& container,
            const std::optional<InstanceFacts::Container>& aside, Timestamp now);
  void runtime_away();
  void set_volumes(bool some) { facts_.has_volumes = some; }
  void set_outdated() { facts_.outdated = true; }

  // The next step. Judges a new image's time to become healthy, too.
  Step next(const Situation& situation, Timestamp now);
  void begin(Step step, const Situation& situation, Timestamp now);
  void finish(const StepOutcome& outcome, const Situation& situation, Timestamp now);
  // Such as an interface that came back: stops and starts it, or ends its waiting.
  void restart(const std::string& why);
  // The same where what it runs with is another now, such as a file that was taken back: also one
  // that is BROKEN or FINISHED begins anew, and its failures are those of what was there before.
  void revive(const std::string& why);
  // `permissions`: the manifest of an image that was let in, as JSON.
  void permit(const std::string& image, const std::string& permissions);
  // What runs, and is not on trial, runs with these interfaces.
  void prove(const std::string& image, const std::string& interfaces);
  void drop_data();                  // of one that is not wished: at once
  void retry_update(Timestamp now);  // a rejected image is tried again
  std::uint64_t refused_told(const std::string& interface) const;
  void set_refused_told(const std::string& interface, std::uint64_t packets);
  // The clock of the day was set, by so much: deadlines move with it.
  void clock_stepped(Duration by);

  const std::string& name() const { return name_; }
  const InstanceFacts& facts() const { return facts_; }
  const InstanceMemory& memory() const { return memory_; }
  Step busy() const { return busy_; }
  // Image that it is brought to now; empty: there is none that may be.
  std::string target(const Situation& situation) const;
  InstanceState state() const;
  const std::string& cause() const { return hindrance_.empty() ? memory_.cause : hindrance_; }
  std::optional<Timestamp> retry() const { return retry_; }
  Timestamp running_since() const { return running_since_; }
  bool is_running() const { return facts_.container && facts_.container->running; }
  // All of them were handed over to what runs.
  bool has_interfaces() const {
    return is_running() && facts_.attached == facts_.container->process;
  }
  // Its start waits because they cannot be made, or what they are tied to is not there.
  bool lacks_interfaces() const { return !hindrance_.empty() && hindered_at_ == Step::prepare; }
  bool on_trial() const { return facts_.container && facts_.aside; }
  // Changed since the last call: to be put on disk before a step begins.
  bool take_changed() { return std::exchange(changed_, false); }
  // News for people: (word, message), such as ("broken", "...").
  std::vector<std::pair<std::string, std::string>> take_news() { return std::exchange(news_, {}); }

 private:
  bool was_started(const Situation& situation) const;
  bool is_late(const Situation& situation, Timestamp now);
  void forget_update(Timestamp now);
  void name_update(const Situation& situation, Timestamp now);
  Step take_down() const;
  void follow_file(const InstanceWish* wish, Timestamp now);
  Step leave() const;
  Step decide(const Situation& situation) const;
  void ended(const StepOutcome& outcome, const Situation& situation, Timestamp now);
  void not_done(const StepOutcome& outcome, const Situation& situation, Timestamp now);
  void failed(const std::string& cause, const Situation& situation, Timestamp now);
  void hindered(const std::string& cause, Timestamp now);
  void reject(const std::string& image, const std::string& why, Timestamp now);
  void see(const std::optional<InstanceFacts::Container>& container,
           const std::optional<InstanceFacts::Container>& aside, Timestamp now);
  void settle(Timestamp now);

  std::string name_;
  InstanceMemory memory_;
  InstanceFacts facts_;
  Step busy_ = Step::none;
  std::string busy_target_;        // image that the step is about
  bool expected_running_ = false;  // we started it, or found it running
  bool ended_ = false;             // by itself; not yet collected
  bool was_healthy_ = false;       // since its start
  bool away_ = false;              // the runtime is, or was when last looked
  std::string restart_why_, hindrance_;
  Step hindered_at_ = Step::none;
  unsigned hindrances_ = 0;  // in a row: what the platform could not do
  std::optional<Timestamp> retry_;
  Timestamp running_since_{};
  Timestamp judged_since_{};  // since when one on trial could have told that it is healthy
  bool changed_ = false;
  std::vector<std::pair<std::string, std::string>> news_;
};

// 1 s, 2 s, 4 s ... 5 min.
Duration backoff(std::uint64_t failures);
// beacon_0 -> beacon-0, beacon-0-old and back; empty: the name is none of ours.
std::string container_name(std::string_view instance);
std::string aside_name(std::string_view instance);
std::string instance_of_container(std::string_view container, bool& aside);

}  // namespace beaconry
