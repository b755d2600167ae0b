#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sensor/admission.h"
#include "sensor/desired_store.h"
#include "sensor/image_folder.h"
#include "sensor/instance.h"
#include "sensor/instance_steps.h"
#include "sensor/network.h"
#include "sensor/platform_health.h"
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
  void restart(const std::string& instance, const std::string& why);
  void revive(const std::string& instance, const std::string& why);
  void retry_update(const std::string& instance);
  // Of one that is not wished any more. False: nothing is kept of it.
  bool drop_data(const std::string& instance);
  // Often: what is due.
  void work(Timestamp now);
  void look_soon() { next_look_ = {}; }

  // The runtime's answers of late.
  const PoolSpace& space() const { return space_; }
  // What the quotas of volumes that are there may still grow by.
  std::uint64_t promised() const;
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
  void drive(const std::string& name, Timestamp now);
  // What this thread does before a step; an error is the step's outcome. False: decide again.
  Result<bool> before(Entry& entry, Step step, StepPlan& plan);
  void after(Entry& entry, Timestamp now);
  void conclude(const std::string& name, const StepOutcome& outcome);
  Services::Instance handed_over(Entry& entry, const Manifest& manifest);
  std::uint64_t keep_config(Entry& entry, const std::string& config, const std::string& who,
                            const std::string& how);
  void hand_over_changes(Entry& entry, Timestamp now);
  void forget(const std::string& name);
  void save(Entry& entry);
  void tell_news(Entry& entry);
  void tell_interfaces(Entry& entry, const std::vector<InterfaceReport>& interfaces);

  struct Look {
    std::map<std::string, std::uint64_t> turns;
    Result<std::vector<ContainerState>> containers{std::vector<ContainerState>{}};
    std::optional<std::vector<std::string>> volumes, images;
    std::string version;
  };
  void look();
  void take_look(const Look& look);
  void measure();
  void clean_images(Timestamp now);
  void follow_clock(Timestamp now);
  std::string folder_of(const std::string& name) const;

  Options options_;
  Parts parts_;
  std::map<std::string, Entry> entries_;
  std::set<std::string> imported_;
  bool adopted_ = false;  // volumes and images were seen since the runtime was last away
  bool looking_ = false, measuring_ = false;
  SteadyTime steady_time_;
  Duration ahead_{0};  // of the clock of the day, by being set
  Timestamp next_look_{}, next_measure_{}, next_turn_{}, next_cleaning_{};
  PoolSpace space_;
  FillTrend pool_trend_;
  std::string runtime_version_, runtime_fault_;
  PlatformHealth platform_health_;
};

}  // namespace beaconry
