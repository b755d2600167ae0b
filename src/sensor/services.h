#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sensor/desired_state.h"
#include "sensor/reported_state.h"
#include "uplink/sender.h"

namespace beaconry {

// What the platform gives running instances over the bus and around it: accounts, configuration,
// health, events, retention, resources, discovery, the relay of uplink batches. Owned by the
// daemon's one thread; nothing here blocks. Everything that must survive is on disk under `folder`
// before it is answered.
class Services {
 public:
  struct Options {
    std::string sensor;  // its name: "sensor001"
    std::string folder;  // state: configs/, resources/, health, retention
    std::string
        run_folder;  // RUN/closed/bus (bus.sock), RUN/INSTANCE (identity.json), RUN/INSTANCE.up
    std::string spool_folder;  // events/ and relayed/
    std::uint64_t spool_bytes = 256 << 20;
    std::function<Timestamp()> clock;
    // A request of the services to the lifecycle: starts an instance anew with what they changed of
    // it, also one that is BROKEN, and says why.
    std::function<void(const std::string& instance, const std::string& why)> restart;
    // A file of a running container to a file of the host; answers later, on the daemon's thread.
    std::function<void(const std::string& instance, const std::string& path, const std::string& to,
                       std::uint64_t most_bytes, std::function<void(Result<void>)> done)>
        pull;
    std::string keys_folder;  // minisign public keys that resources may be signed with
    // Where events and relayed batches go; content_kind and refused_folder are set here. None: they
    // stay on this machine, the newest of them.
    std::optional<Sender::Options> uplink;
    std::string broker_program, broker_plugin, broker_user;  // as Broker::Options
  };
  // What the lifecycle knows of an instance when it hands it over.
  struct Instance {
    std::string name;
    Manifest manifest;
    std::string config_json;  // wished; checked against the schema already
    std::uint64_t config_version = 0;
    std::chrono::hours retention{};
  };
  static Result<std::unique_ptr<Services>> open(const Options& options);
  virtual ~Services() = default;

  // Before a start: bus account, run folders, uplink socket, resources. Returns the folders to
  // share in: RUN/closed/bus at /run/bus, RUN/INSTANCE at /run/instrument, RESOURCES at /resources,
  // ...
  virtual Result<std::vector<ContainerSpec::Folder>> prepare(const Instance& instance) = 0;
  virtual void started(const Instance& instance, Timestamp now) = 0;  // or taken over, running
  // Before it is stopped on purpose: told to it, and its end then says nothing of its
  // configuration.
  virtual void stopping(const std::string& instance) = 0;
  // Ended, whoever wanted it, and perhaps before it was started() here; may be said twice.
  virtual void stopped(const std::string& instance, Timestamp now) = 0;
  virtual void removed(const std::string& instance) = 0;  // all that is kept of it goes
  // Another configuration or retention of a running instance.
  virtual void changed(const Instance& instance, Timestamp now) = 0;

  // Facts that the platform sees and health is made of: interfaces, storage, the pool.
  virtual void observe(const std::string& instance, const std::vector<InterfaceReport>& interfaces,
                       const InstanceReport::Storage& persistent,
                       const InstanceReport::Storage& transient) = 0;
  // What the lifecycle says of an instance; a part of its health, and what others find of it.
  virtual void observe(const std::string& instance, InstanceState state,
                       const std::string& cause) = 0;
  // An event of the platform itself about an instance (or, empty, the sensor): state changes, tried
  // to transmit, flooding. Types: sensor.ev.WORD.
  virtual void tell(const std::string& instance, const std::string& word,
                    const std::string& message, const std::string& data_json) = 0;

  // Healthy by its own words, asked after `since`, with its configuration applied or refused.
  virtual bool is_healthy_since(const std::string& instance, Timestamp since) const = 0;
  // Config, health, retention, events of the report are filled in.
  virtual void fill(InstanceReport& report) const = 0;
  virtual Health health() const = 0;  // of the sensor: causes collapsed

  virtual std::vector<int> descriptors() const = 0;  // to poll for reading
  virtual void work(Timestamp now) = 0;              // often: when one is readable, each 100 ms

  // For the API: newest first.
  struct KeptEvent {
    std::string instance;  // empty: the sensor
    Event event;
  };
  virtual std::vector<KeptEvent> events(const std::string& instance, std::size_t most) const = 0;
  virtual std::optional<Result<void>> fetch_now(const std::string& instance) = 0;  // `update`
  virtual std::string bus_fault() const = 0;
  virtual std::uint64_t bus_restarts() const = 0;
  virtual SensorReport::Uplink uplink() const = 0;
};

}  // namespace beaconry
