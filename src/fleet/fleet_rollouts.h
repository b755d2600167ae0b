#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "fleet/fleet_documents.h"
#include "fleet/rollout.h"
#include "store/database.h"

namespace beaconry {

// The changes that go over the fleet, in a table of their own: each is a layer's next document that
// sensors get one after the other. Until it is done the layer's document is the one before, and
// nobody else may change it. Goes on after a restart of the server where it was; on disk when a
// call returns. Any thread may call.
//
// Whoever makes the sensors' documents asks layer_for() for each of its layers, calls step() every
// few seconds, and makes at once those documents anew that a call names; after open(), all of them.
class FleetRollouts {
 public:
  // The oldest that ended go beyond kMostKept.
  static constexpr std::size_t kMostUnderWay = 100, kMostKept = 200;

  struct Start {
    std::string target;  // "fleet", "group:NAME", "sensor:FINGERPRINT", as in FleetDocuments
    std::string after;   // the layer's next document, checked
    std::string who;
    RolloutPlan plan;
  };
  struct Summary {
    std::uint64_t id = 0;
    std::string target, who;
    Timestamp started{}, since{};
    Rollout::Phase phase = Rollout::Phase::running;
    std::string words;
    std::size_t total = 0;
    std::array<std::size_t, 7> counts{};  // by Rollout::Stage
    std::vector<std::string> widened;     // wait for approve()

    std::size_t count(Rollout::Stage stage) const {
      return counts[static_cast<std::size_t>(stage)];
    }
  };
  struct Detail {
    Summary summary;
    std::string before, after;  // the layer's documents
    Rollout rollout;
  };
  // What a call changed.
  struct Changed {
    std::set<std::string> sensors;     // their documents are to be made anew
    std::set<std::string> targets;     // and those of all whom these layers reach
    std::set<std::uint64_t> rollouts;  // phase, or some turn's stage

    bool is_empty() const { return sensors.empty() && targets.empty() && rollouts.empty(); }
  };

  static Result<std::unique_ptr<FleetRollouts>> open(Database& database, FleetDocuments& documents);

  // Begins with the next step(), unless it waits for an approval. Refused while another is under
  // way for the target, and where the document is the one that holds.
  Result<std::uint64_t> start(const Start& start, Timestamp now);
  Result<Changed> pause(std::uint64_t id, const std::string& who, Timestamp now);
  Result<Changed> resume(std::uint64_t id, Timestamp now);
  Result<Changed> abort(std::uint64_t id, const std::string& who, Timestamp now);
  // `digests`: instance -> permission_digest() of its new image; they become its `approved`.
  Result<Changed> approve(std::uint64_t id, const std::map<std::string, std::string>& digests,
                          Timestamp now);

  // `look`: all sensors of the fleet; who is missing was revoked. One that is done makes its
  // document the layer's, as version "rollout".
  Result<Changed> step(const RolloutLook& look, Timestamp now);
  bool is_busy() const;  // whether step() has anything to do
  // Sensors could not be given what step() said: it judges nobody by the time that this took.
  void hold_up();
  // The layer's sensor is no more: nothing of it becomes a document again.
  Result<void> forget(const std::string& target, const std::string& why, Timestamp now);
  // Sensors in the midst of it, also back: of these alone a look must say current, failed, widened.
  std::set<std::string> in_turn() const;

  // The document that this sensor shall have of a layer, as long as some rollout has a say in it
  // (empty: none); null: the current one. After the end too: who was away keeps what was until its
  // turn, and who failed and went back keeps it until the layer's next document.
  std::shared_ptr<const std::string> layer_for(const std::string& target,
                                               std::string_view sensor) const;
  // The one that is neither done nor taken back: until then the layer is its alone.
  std::optional<std::uint64_t> under_way(const std::string& target) const;

  std::vector<Summary> list() const;  // newest first
  std::optional<Summary> summary(std::uint64_t id) const;
  Result<Detail> show(std::uint64_t id) const;
  std::vector<std::uint64_t> with_sensor(std::string_view sensor) const;  // not over for it

  ~FleetRollouts();

 private:
  struct Live;  // one that has a say
  using Chain = std::deque<std::unique_ptr<Live>>;
  FleetRollouts(Database& database, FleetDocuments& documents);
  // Under mutex_, all of them.
  Result<void> load();
  Result<Live*> live(std::uint64_t id, const char* what);
  template <class Change>
  Result<Changed> change(std::uint64_t id, const char* what, const Change& change, Timestamp now);
  Result<void> settle(Live& live, Timestamp now);
  Result<void> write(Timestamp now);
  Result<Changed> finish(Timestamp now);
  bool has_say(const Live& newest) const;
  bool is_unwritten() const;
  void let_go();
  void prune();

  Database& database_;
  FleetDocuments& documents_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Summary> summaries_;
  std::map<std::string, Chain, std::less<>> chains_;  // by target, oldest first
  Changed changed_;  // until it is on disk: nobody may hear of it before
  bool held_up_ = false;
};

}  // namespace beaconry
