#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sensor/admission.h"
#include "sensor/desired_store.h"
#include "sensor/image_fetch.h"
#include "sensor/image_folder.h"
#include "sensor/instance.h"
#include "sensor/instance_steps.h"
#include "sensor/network.h"
#include "sensor/platform_health.h"
#include "sensor/process_ends.h"
#include "sensor/runtime.h"
#include "sensor/services.h"
#include "sensor/services/steady_time.h"
#include "sensor/storage_watch.h"
#include "sensor/workers.h"

namespace beaconry {

// Brings the runtime to what is wished: holds an Instance for each that is wished or there, gives
// their steps to the workers, one at a time an instance, and takes in what comes of them. One
// thread; nothing here blocks but small files of the instances' memories.
class Reconciler {
 public:
  struct Options {
    std::string state_folder;
    unsigned broken_after = 5;
    std::function<Timestamp()> clock;
  };
  struct Parts {
    Runtime& runtime;
    Network& network;
    Services& services;
    Workers& workers;
    ImageFolder& images;
  };
  Reconciler(Options options, Parts parts);

  // Those whose memory is on disk, before anything else.
  void recall();
  // `who` and `how` stand in the histories of configurations that are new.
  void take_wishes(const DesiredState& desired, const std::string& who, const std::string& how);
  void images_changed();
  void set_image_fetches(ImageFetches fetches) { fetches_ = std::move(fetches); }
  void restart(const std::string& instance, const std::string& why);
  void revive(const std::string& instance, const std::string& why);
  void retry_update(const std::string& instance);
  // Of one that is not wished any more. False: nothing is kept of it.
  bool drop_data(const std::string& instance);
  // Often: what is due.
  void work();
  // Interfaces changed: what became of those of instances is told at once, not at the next look,
  // before which they may be back.
  void look_at_interfaces();  // of all

  // Whether the image could come in the place of what there is of the instance, which need not be
  // known yet.
  Result<void> has_room(const std::string& instance, const ImageInfo& image) const;
  // What runs of an instance, or would: of the image that is there, which may be another than the
  // wished one, and the interfaces that it gets.
  struct Run {
    const Manifest* manifest = nullptr;
    std::vector<InterfaceWish> interfaces;
  };
  std::optional<Run> run_of(const std::string& instance) const;
  bool is_there(const std::string& instance) const { return entries_.count(instance) != 0; }
  bool has_container(const std::string& instance) const;
  bool has_ended(const std::string& instance) const;  // by itself, and waits or stays so
  // Versions of an instance's configuration; nothing of one that is not wished.
  DocumentHistory* configs(const std::string& instance);
  void fill(SensorReport& report) const;
  // Manifest of the image whose permissions an update of the instance would widen: of what is
  // there, else of what was let in last; one that may do nothing, where something is there and
  // nobody knows any more what it was allowed to. None: it would be its first.
  const Manifest* current_manifest(const std::string& instance) const;

 private:
  struct Entry {
    explicit Entry(Instance made) : instance(std::move(made)) {}
    Instance instance;
    std::optional<InstanceWish> wish;
    std::optional<DocumentHistory> configs;
    std::optional<Manifest> permitted;  // of its memory
    Result<void> fits;                  // the wish to its image's manifest
    std::string reserved;               // image that has room in the pool, made or not
    Result<void> room;                  // why the wished one has none
    bool handed = false;                // the services know that it runs
    std::string handed_key;             // configuration and retention that they were given
    std::vector<ContainerSpec::Folder> folders;
    std::uint64_t turns = 0;  // steps begun and ended: what was seen before is out of date
    std::uint64_t memory = 0, processes = 0;
    InstanceReport::Storage persistent, transient;
    FillTrend persistent_trend, transient_trend;
    std::map<std::string, bool> present;  // by interface
  };

  Entry& entry(const std::string& name);
  void note_permitted(Entry& entry, const ImageInfo& image);
  Situation situation_of(const Entry& entry) const;
  Verdict verdict_of(const Entry& entry) const;
  std::string why_no_image(const InstanceWish& wish) const;
  void tell_update(const Entry& entry, const Verdict& verdict, InstanceReport& out) const;
  void drive(const std::string& name, Timestamp now);
  // What this thread does before a step; an error is the step's outcome. False: decide again.
  Result<bool> before(Entry& entry, Step step, StepPlan& plan);
  void after(Entry& entry, Timestamp now);
  void conclude(const std::string& name, const StepOutcome& outcome);
  std::vector<InterfaceWish> interfaces_of(const Entry& entry, const ImageInfo& image) const;
  std::uint64_t promised(const std::string& besides) const;  // to all but this one
  static VolumesUsed used_by(const Entry& entry);
  void reserve_room();
  Services::Instance handed_over(Entry& entry, const ImageInfo& image);
  std::uint64_t keep_config(Entry& entry, const std::string& config, const std::string& who,
                            const std::string& how);
  void hand_over_changes(Entry& entry, Timestamp now);
  void forget(const std::string& name);
  void save(Entry& entry);
  void tell_news(Entry& entry);
  void look_at_interfaces(Entry& entry);
  void tell_interfaces(Entry& entry, const std::vector<InterfaceReport>& interfaces);

  struct Look {
    std::map<std::string, std::uint64_t> turns;
    Result<std::vector<ContainerState>> containers{std::vector<ContainerState>{}};
    std::optional<std::vector<std::string>> volumes, images;
    Result<PoolSpace> space{PoolSpace{}};
    std::string version;
  };
  void look();
  void notice_ends(Timestamp now);
  void take_look(const Look& look);
  void measure();
  void clean_images(Timestamp now);
  // The time, with all deadlines moved to it where the clock was set since the last call: whoever
  // writes a deadline asks here first, or it would be moved as one of the time before.
  Timestamp now();
  std::string folder_of(const std::string& name) const;

  Options options_;
  Parts parts_;
  std::map<std::string, Entry> entries_;
  std::set<std::string> imported_;
  ImageFetches fetches_;
  bool adopted_ = false;  // volumes and images were seen since the runtime was last away
  bool looking_ = false, measuring_ = false;
  SteadyTime steady_time_;
  Duration ahead_{0};  // of the clock of the day, by being set
  Timestamp next_look_{}, next_measure_{}, next_turn_{}, next_cleaning_{};
  ProcessEnds ends_;  // of the instances' first processes
  Timestamp next_hurry_{};
  Duration hurry_{0};  // pause between looks for an end that the runtime has not told yet
  PoolSpace space_;
  FillTrend pool_trend_;
  std::string runtime_version_, runtime_fault_;
  PlatformHealth platform_health_;
};

}  // namespace beaconry
