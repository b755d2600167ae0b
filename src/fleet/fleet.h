#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/signed_document.h"
#include "fleet/fleet_asks.h"
#include "fleet/fleet_documents.h"
#include "fleet/fleet_groups.h"
#include "fleet/fleet_lines.h"
#include "fleet/fleet_replacements.h"
#include "fleet/fleet_rollouts.h"
#include "fleet/fleet_store.h"
#include "fleet/layer_book.h"

namespace beaconry {

// The sensors under this roof: what each shall be is merged, signed and pushed to it as soon as it
// changes, what each is comes back by its reports. What a call that succeeds has changed is on
// disk. Any thread may call; changes go one after the other, reports and readers wait for none.
class Fleet {
 public:
  struct Options {
    Database& database;
    DocumentKey key;
    // An event for people who look: {what, name | id, state}. May be called by any thread.
    std::function<void(std::string_view json)> tell;
  };
  using Found = FleetStore::Found;

  static Result<std::unique_ptr<Fleet>> open(Options options, Timestamp now);
  ~Fleet();

  void start(std::function<Timestamp()> clock);
  void stop();  // ends the sensors' streams, too
  // What time alone changes: states, news for people, turns of rollouts, reports to disk. Once a
  // second; start() has it done by a thread.
  void tick(Timestamp now);

  // --- sensors ---
  // One that was enrolled. Returns its name: another one where that was taken.
  Result<std::string> enrol(const std::string& fingerprint, const std::string& name, Timestamp now);
  Result<void> rename(const std::string& fingerprint, const std::string& name);
  // What a change does to sensors.
  struct Effect {
    std::size_t sensors = 0;  // that it reaches
    // What changes for them, by name, of the first kShown.
    std::vector<std::pair<std::string, std::vector<std::string>>> changed;
    std::vector<std::string> lost;  // beacon_0@oulu-1: instances that go; the first kMostLost
  };
  static constexpr std::size_t kShown = 20, kMostLost = 1000;
  // Those that are named: another value, or null, which removes one. The others stay.
  Result<Effect> change_labels(const std::string& fingerprint, const LabelChanges& changes,
                               Timestamp now, bool dry_run = false);
  // One whose key was revoked: with its document, and without its stream.
  Result<void> forget(const std::string& fingerprint, Timestamp now);
  // The machine that joins by this token (its SHA-256) takes over the sensor's name, labels and
  // document.
  Result<void> expect_replacement(const std::string& fingerprint, const std::string& token,
                                  Timestamp expires, Timestamp now);
  struct Replaced {
    std::string token, sensor, machine;  // whose key is to be revoked, and who is it now
  };
  // One that joined by the token: nothing where it takes nobody's place. Is to be repeated, also
  // after a crash, until replaced() was called, once the old key was revoked.
  Result<std::optional<Replaced>> replace(const std::string& token, const std::string& machine,
                                          Timestamp now);
  Result<std::vector<FleetReplacements::Replacement>> replacements_begun() const {
    return replacements_->begun();
  }
  Result<void> replaced(const std::string& token) { return replacements_->done(token); }
  Found find(const std::string& fingerprint_or_name) const {
    return store_->find(fingerprint_or_name);
  }
  Result<Found> need(const std::string& fingerprint_or_name) const;  // not_found: in words
  std::vector<Found> sensors() const { return store_->sensors(); }   // by name
  const FleetStore& store() const { return *store_; }
  SensorStanding stand(const FleetStore::Sensor& sensor, Timestamp now) const;
  std::shared_ptr<const LayerBook> book() const;

  // --- the wire ---
  std::string public_key() const { return key_.public_hex(); }
  // The stream of a sensor that has this version: gets what is newer at once, then each change.
  Result<std::shared_ptr<EventStream>> listen(const std::string& fingerprint, std::uint64_t version,
                                              Timestamp now);
  struct Taken {
    SensorIdentity::Heard heard = SensorIdentity::Heard::news;
    std::uint64_t desired_version = 0;
  };
  Result<Taken> hear(const std::string& fingerprint, const std::string& report,
                     const std::string& address, Timestamp now);
  // A report that somebody carried: it tells what was at the time that it names, not now.
  Result<Taken> hear_file(const std::string& fingerprint, const std::string& report, Timestamp now);
  Result<std::string> signed_document(const FleetStore::Sensor& sensor) const;
  const FleetLines& lines() const { return lines_; }

  // --- questions ---
  Result<std::string> ask(const FleetAsks::Question& question, Timestamp now);  // -> id
  Result<void> answer(const std::string& fingerprint, const std::string& id,
                      const std::string& json, Timestamp now);
  const FleetAsks& asks() const { return asks_; }

  // --- documents ---
  struct Edit {
    std::string target;     // "fleet", "group:NAME", "sensor:NAME" or "sensor:FINGERPRINT"
    std::string document;   // JSON object
    bool is_patch = false;  // RFC 7396, over the layer's document
    std::optional<std::uint64_t> expected;  // the version that holds, 0: none yet
    bool dry_run = false;
    std::string who, how = "api";
  };
  struct Edited : Effect {
    std::uint64_t version = 0;  // of the layer; of a trial the one that holds
    std::string before, after;  // the layer's document
  };
  // ErrorKind::conflict where `expected` does not hold.
  Result<Edited> edit(const Edit& edit, Timestamp now);
  struct Document {
    std::string target;
    FleetDocuments::Version version;       // number 0 and "{}": none yet
    std::vector<std::string> sensors;      // that it reaches, by name
    std::optional<std::uint64_t> rollout;  // that is under way
  };
  std::uint64_t layer_version(const std::string& target) const {  // 0: none yet
    return documents_->newest(target);
  }
  Result<Document> document(const std::string& target, std::optional<std::uint64_t> version) const;
  Result<std::vector<FleetDocuments::Version>> history(const std::string& target) const;
  // `expected`: as in Edit.
  Result<Edited> roll_back(const std::string& target, std::uint64_t version, const std::string& who,
                           Timestamp now, std::optional<std::uint64_t> expected = {});

  // --- instances: beacon_0@oulu-1 ---
  enum class Act : std::uint8_t { start, stop, restart };
  // A change of the sensor's own layer.
  Result<Edited> act(const std::string& instance, Act act, const std::string& who, Timestamp now);
  // `digest`: permission_digest() of the image that it is wished to have.
  Result<Edited> approve(const std::string& instance, const std::string& digest,
                         const std::string& who, Timestamp now);
  struct Instance {
    Found sensor;
    std::string name;   // beacon_0
    std::string image;  // that it is wished to have; empty: not wished here
  };
  Result<Instance> instance(const std::string& instance) const;

  // --- groups ---
  Result<Effect> set_group(const FleetGroups::Group& group, Timestamp now, bool dry_run = false);
  Result<Effect> remove_group(const std::string& name, const std::string& who, Timestamp now,
                              bool dry_run = false);

  // --- rollouts ---
  const FleetRollouts& rollouts() const { return *rollouts_; }
  // Of a change that edit() would take, over all whom it reaches or over those of the plan.
  Result<std::uint64_t> roll_out(const Edit& edit, RolloutPlan plan, Timestamp now);
  // A call of the rollouts, and what follows from it for the sensors' documents.
  Result<void> steer(
      const std::function<Result<FleetRollouts::Changed>(FleetRollouts& rollouts)>& call,
      Timestamp now);

  struct Counters {
    std::uint64_t taken = 0, stale = 0, conflicts = 0, refused = 0;  // reports
    std::uint64_t pushed = 0;                                        // documents
  };
  Counters counters() const;

 private:
  struct Made {
    std::vector<FleetStore::Wanted> wanted;
    std::map<std::string, Error> faults;  // of sensors whose layers do not fit each other
  };
  explicit Fleet(Options options);
  Result<void> load(Timestamp now);
  Result<std::shared_ptr<const LayerBook>> read_book() const;
  Result<void> catch_up(Timestamp now);
  Result<std::string> resolve(const std::string& target) const;  // with the sensor's fingerprint
  std::vector<Found> reached(const LayerBook& book, const std::string& target) const;
  // `without`: a target whose next document is tried, so that no rollout has a say in it.
  Made make(const LayerBook& book, const std::vector<Found>& sensors,
            const std::string& without = {}) const;
  Effect effect(const std::vector<Found>& sensors, const Made& made) const;
  Result<void> refuse_new_faults(const Made& made) const;
  Result<void> take(std::shared_ptr<const LayerBook> book, const Made& made, Timestamp now);
  Result<void> remake(const std::vector<Found>& sensors, Timestamp now);
  Result<Edited> edit_locked(const Edit& edit, Timestamp now);
  Result<Edited> try_edit(const Edit& edit, const std::string& target, Made& made,
                          std::shared_ptr<const LayerBook>& next) const;
  Result<void> no_rollout(const std::string& target) const;
  RolloutLook look(Timestamp now) const;
  Result<void> steer_locked(
      const std::function<Result<FleetRollouts::Changed>(FleetRollouts& rollouts)>& call,
      Timestamp now);
  void step_rollouts(Timestamp now);
  Result<void> carry_out(const FleetRollouts::Changed& changed, Timestamp now);
  Result<Edited> patch_instance(const Instance& at, const std::string& json, const std::string& who,
                                Timestamp now);
  Result<Taken> take_report(const std::string& fingerprint, const std::string& report,
                            const std::string& address, bool carried, Timestamp now);
  void push(const std::string& fingerprint);
  void note(const std::string& fingerprint);
  void tell(std::string_view what, const std::string& name, const std::string& state) const;
  void run(const std::function<Timestamp()>& clock);
  void tell_news(Timestamp now);
  void set_back(Timestamp now);
  std::string face(const FleetStore::Sensor& sensor, Timestamp now) const;

  const DocumentKey key_;
  std::atomic<Timestamp> opened_{};  // when it was
  Timestamp last_heard_{};           // of any sensor before that
  std::function<void(std::string_view)> tell_;
  std::unique_ptr<FleetStore> store_;
  std::unique_ptr<FleetDocuments> documents_;
  std::unique_ptr<FleetGroups> groups_;
  std::unique_ptr<FleetReplacements> replacements_;
  std::unique_ptr<FleetRollouts> rollouts_;
  FleetLines lines_;
  FleetAsks asks_;

  std::mutex changing_;  // one change at a time; taken before mutex_
  mutable std::mutex mutex_;
  std::shared_ptr<const LayerBook> book_;
  std::map<std::string, std::string, std::less<>> faults_;  // fingerprint -> words
  std::set<std::string> noted_;                             // sensors with news for people
  bool behind_ = true;  // documents are to be made of what is on disk: again, for want of disk
  std::mutex ticking_;  // taken before changing_
  std::map<std::string, std::string> faces_;  // what people know; under ticking_
  Timestamp looked_{}, saved_{}, ticked_{};   // also

  std::atomic<std::uint64_t> taken_{0}, stale_{0}, conflicts_{0}, refused_{0}, pushed_{0};
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace beaconry
