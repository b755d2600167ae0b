#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sensor/canary.h"
#include "sensor/desired_store.h"
#include "sensor/image_folder.h"
#include "sensor/network/management.h"
#include "sensor/network/server_way.h"
#include "sensor/reconciler.h"
#include "sensor/sensor.h"
#include "sensor/workers.h"

namespace beaconry {

// The sensor as one thread with what it decides on. sensor.cc: opening, the loop and files;
// sensor_calls.cc: what others ask; sensor_fleet.cc: what the server wishes.
class SensorThread final : public Sensor {
 public:
  static Result<std::unique_ptr<SensorThread>> make(const Options& options, Runtime& runtime,
                                                    const Makers& makers);
  ~SensorThread() override;

  void run() override;
  void stop() override;

  SensorReport report() override;
  DocumentHistory::Version desired() override;
  std::vector<DocumentHistory::Version> desired_versions() override;
  Result<std::uint64_t> set_desired(const std::string& json, const std::string& who) override;
  Result<std::uint64_t> set_fleet(const FleetWish& fleet) override;
  void set_image_fetches(const ImageFetches& fetches) override;
  Result<std::uint64_t> roll_back_desired(std::uint64_t to, const std::string& who) override;
  std::optional<std::uint64_t> management_trial() override;
  Result<void> confirm_management(const std::optional<TrialProof>& proof) override;
  Result<ImageInfo> add_image(const std::string& file) override;
  std::vector<ImageInfo> images() override;
  Result<std::uint64_t> change(const std::string& instance, const Change& change,
                               const std::string& who, bool create) override;
  Result<std::uint64_t> remove(const std::string& instance, const std::string& who) override;
  Result<std::vector<DocumentHistory::Version>> config_versions(
      const std::string& instance) override;
  Result<void> update_now(const std::string& instance) override;
  Result<std::string> log(const std::string& instance, std::size_t most_bytes) override;
  Result<Runtime::Executed> execute(const std::string& instance,
                                    const std::vector<std::string>& command,
                                    unsigned seconds) override;
  std::vector<Services::KeptEvent> events(const std::string& instance, std::size_t most) override;

 private:
  SensorThread(Options options, Runtime& runtime, DesiredStore desired, ImageFolder images)
      : options_(std::move(options)),
        runtime_(runtime),
        desired_(std::move(desired)),
        images_(std::move(images)) {}
  Result<void> begin(const Makers& makers);
  std::vector<std::string> running_instances();

  // --- the loop
  void wait();
  void work();  // a turn
  void look_at_files(Timestamp now);
  void look_at_keys();
  void point_canary();
  Result<void> open_management();
  void follow_management(Timestamp now);
  Result<void> do_confirm(const std::optional<TrialProof>& proof);
  Result<void> check_fits(const InstanceWish& wish, const Manifest& manifest) const;
  Result<std::optional<std::string>> image_of_file(const std::string& words);

  // --- on run()'s thread, asked from any
  template <class T, class Ask>
  T ask(T otherwise, Ask question);
  SensorReport make_report();
  void add_fleet_faults(SensorReport& report) const;
  Result<std::uint64_t> do_change(const std::string& instance, const Change& change,
                                  const std::string& who, bool create);
  Result<InstanceWish> changed_wish(const std::string& instance, const Change& change,
                                    const InstanceWish* had);
  Result<void> check_change(const InstanceWish& wish);
  Result<std::uint64_t> do_set_fleet(const FleetWish& fleet);
  Result<void> check_fit(const InstanceWish& wish) const;
  std::string definer_of(const InstanceWish& wish) const;
  Result<std::uint64_t> take(const DesiredState& state, const std::string& who,
                             const std::string& how);
  Result<std::uint64_t> take_foreign(DesiredState state, const std::string& who,
                                     const std::string& how);

  Options options_;
  Runtime& runtime_;
  DesiredStore desired_;
  ImageFolder images_;
  std::vector<std::string> image_problems_;
  Timestamp started_{};
  Mailbox mailbox_;
  Fd watch_;  // of the desired folder
  std::unique_ptr<ServerWay> way_;
  std::unique_ptr<Management> management_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<Canary> canary_;  // once an instrument asks for it
  bool canary_failed_ = false;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Reconciler> reconciler_;
  std::unique_ptr<Workers> workers_;  // goes first: its jobs use all of the above
  std::unique_ptr<Workers> pullers_;  // of its own, so that no start or stop waits behind a file
  std::atomic<bool> stopping_{false}, ended_{false};
  std::string thrown_;  // last, by a turn
  Timestamp next_files_{}, next_network_{}, next_way_{};
  std::optional<std::string> keys_seen_;  // the keys' folder, as the images were read with it
  bool reading_keys_ = false;
  struct Taken {
    std::optional<Result<std::string>> fingerprint;  // nothing: being copied
    Timestamp again{};                               // of one that could not be copied
  };
  std::map<std::string, Taken> taken_;  // images that files name by path, with time and size
};

}  // namespace beaconry
