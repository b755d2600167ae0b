#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/time.h"
#include "image/image.h"
#include "sensor/desired_state.h"
#include "sensor/fleet/fleet_wish.h"
#include "sensor/image_fetch.h"
#include "sensor/reported_state.h"
#include "sensor/runtime.h"
#include "sensor/services.h"

namespace beaconry {

// A connection that reached the server while a network of the machine was on trial.
struct TrialProof {
  std::uint64_t version = 0;  // of the trial
  IpAddress local, peer;      // of the connection, made since the trial began
};

// The platform: holds the desired state, makes the runtime follow it, and reports. run() is one
// thread that decides; what blocks (the runtime, images, interfaces) is done by a few workers, one
// job an instance at a time, so that no instance waits for another's. All else may be called from
// any thread: it is carried out on run()'s thread and waited for.
class Sensor {
 public:
  struct Options {
    std::string name;            // "sensor001"
    std::string version;         // of the program
    std::string state_folder;    // /var/lib/beaconry-sensor: desired/, instances/, images/
    std::string desired_folder;  // /etc/beaconry/sensor.d; looked at every two seconds; a file is
                                 // taken once it was still for that long
    std::string keys_folder;     // /etc/beaconry/instrument-keys: *.pub
    Services::Options services;
    Network::Options network;
    std::string resolv_conf = "/etc/resolv.conf";  // of the machine: of the management network
    unsigned workers = 4;
    unsigned broken_after = 5;  // failures in a row
    std::function<Timestamp()> clock;
  };
  // What is made by it: handed in, for parts that fail when a test tells them to.
  struct Makers {
    std::function<Result<std::unique_ptr<Network>>(const Network::Options&,
                                                   const std::vector<std::string>& running)>
        network = Network::open;
    std::function<Result<std::unique_ptr<Services>>(const Services::Options&)> services =
        Services::open;
    std::function<Result<ImageInfo>(const std::string& file, const std::string& keys_folder)>
        inspect = inspect_image;
  };
  // The runtime outlives the sensor. It may be away: that is reported, and instances follow later.
  static Result<std::unique_ptr<Sensor>> open(const Options& options, Runtime& runtime,
                                              const Makers& makers);
  static Result<std::unique_ptr<Sensor>> open(const Options& options, Runtime& runtime);
  virtual ~Sensor() = default;

  virtual void run() = 0;   // until stop(); instances go on running
  virtual void stop() = 0;  // any thread, signal-safe

  virtual SensorReport report() = 0;
  virtual DocumentHistory::Version desired() = 0;
  virtual std::vector<DocumentHistory::Version> desired_versions() = 0;
  // The whole desired state, such as one from afar; files of desired_folder still come over it.
  virtual Result<std::uint64_t> set_desired(const std::string& json, const std::string& who) = 0;
  // What the server wishes, as one of three who define instances: files and commands of this
  // machine hold against it. What it does not name any more goes.
  virtual Result<std::uint64_t> set_fleet(const FleetWish& fleet) = 0;
  // How the images come that are not here; tells it on with the instances. Does not wait.
  virtual void set_image_fetches(const ImageFetches& fetches) = 0;
  virtual Result<std::uint64_t> roll_back_desired(std::uint64_t to, const std::string& who) = 0;

  // The version whose management network is on trial, and that it works: else it goes back. With a
  // proof it is the link to the server that says so: its connection must lead over that network.
  // Without one it is a person.
  virtual std::optional<std::uint64_t> management_trial() = 0;
  virtual Result<void> confirm_management(const std::optional<TrialProof>& proof) = 0;

  // Takes an image file in (verified, copied, admission by disk space later, at the install).
  virtual Result<ImageInfo> add_image(const std::string& file) = 0;
  virtual std::vector<ImageInfo> images() = 0;

  // Makes or changes one instance: what is set replaces what was; checked as a whole (schema of the
  // configuration, interfaces of the manifest, signature, room for it and its rollback copy). One
  // that a file or the server defines is refused with the name of either.
  struct Change {
    std::optional<std::string> image;  // fingerprint, or NAME[:VERSION] of images()
    std::optional<bool> running;
    std::optional<std::vector<InterfaceWish>> interfaces;
    std::optional<std::string> config_json;  // empty: the defaults
    std::optional<std::chrono::hours> retention;
    std::optional<bool> allow_unsigned;
    bool restart = false, approve = false;
    std::optional<std::uint64_t> expected_config_version;
  };
  virtual Result<std::uint64_t> change(const std::string& instance, const Change& change,
                                       const std::string& who, bool create) = 0;
  virtual Result<std::uint64_t> remove(const std::string& instance, const std::string& who) = 0;
  virtual Result<std::vector<DocumentHistory::Version>> config_versions(
      const std::string& instance) = 0;
  virtual Result<void> update_now(const std::string& instance) = 0;  // its resources, at once
  virtual Result<std::string> log(const std::string& instance, std::size_t most_bytes) = 0;
  virtual Result<Runtime::Executed> execute(const std::string& instance,
                                            const std::vector<std::string>& command,
                                            unsigned seconds) = 0;
  virtual std::vector<Services::KeptEvent> events(const std::string& instance,
                                                  std::size_t most) = 0;
};

}  // namespace beaconry
