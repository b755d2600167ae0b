#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "bus/messages.h"
#include "sensor/network.h"
#include "sensor/runtime.h"

namespace beaconry {

enum class InstanceState : std::uint8_t {
  created,    // NEW: wished, nothing done
  installed,  // INSTALLED: container made, not running
  starting,
  running,
  stopping,
  errored,   // ERRORED: ended or failed; will be tried again at `retry`
  broken,    // BROKEN: failed again and again; waits for a person or another wish
  finished,  // FINISHED: ended with 0 and is not to be restarted
};
std::string_view to_string(InstanceState state);  // NEW, INSTALLED, ...

enum class UpdateState : std::uint8_t { none, pending, downloading, installing, installed, failed };
std::string_view to_string(UpdateState state);

// What a sensor is: one document, made of what runs and what the bus tells.
struct InstanceReport {
  std::string name, version, image, wished_image;
  InstanceState state = InstanceState::created;
  bool wished_running = false;
  std::string cause;     // why it is not what was wished
  std::string last_log;  // of one that failed: its last lines
  Timestamp since{};     // in this state
  std::optional<Timestamp> retry;
  std::uint64_t starts = 0, failures = 0;   // failures in a row
  std::vector<std::string> wants_approval;  // what the wished image may do more
  struct Update {
    UpdateState state = UpdateState::none;
    std::string what, reason;  // "image 1.2"
    Timestamp since{};
  } update;  // of the image
  // A file that it wished for.
  struct Resource {
    std::string name, url, reason, version;  // version: SHA-256 of what it has; empty: nothing
    UpdateState state = UpdateState::none;
    Timestamp since{};
    std::optional<Timestamp> looked;  // when the last try to get a newer one came to its end
    std::optional<Timestamp> retry;
  };
  std::vector<Resource> resources;
  struct Config {
    ConfigState state = ConfigState::unset;
    std::uint64_t wished = 0, applied = 0;  // versions
    std::string reason;
  } config;
  Health health;
  std::vector<InterfaceReport> interfaces;
  struct Storage {
    std::uint64_t quota = 0, used = 0;
    std::optional<double> days_to_full;
  } persistent, transient;
  struct Retention {
    std::optional<Timestamp> commanded, answered, before;
    std::uint64_t items = 0, bytes = 0;  // of the last receipt
    bool overdue = false;
    std::string error;
  } retention;
  struct Events {
    std::uint64_t stored = 0, duplicates = 0, refused = 0, malformed = 0;
  } events;
  struct Relayed {
    std::uint64_t taken = 0, bytes = 0, refused = 0;  // batches, of them bytes, batches
    std::uint64_t waiting = 0;                        // bytes, for the server
  } relayed;
  std::uint64_t memory = 0, processes = 0;
};

// The sensor's own network, as it was wished: on trial until it is confirmed over it.
struct ManagementReport {
  enum class State : std::uint8_t { none, trial, confirmed, reverted } state = State::none;
  std::string interface;
  std::uint64_t version = 0;       // of the desired state, that brought the wish
  Timestamp since{};               // in this state
  std::optional<Timestamp> until;  // of a trial: then all goes back
  std::string reason;              // why it went back, or what is wrong now
  std::vector<std::string> addresses;
};
std::string_view to_string(ManagementReport::State state);  // none, trial, ...

struct SensorReport {
  std::string name, version, runtime, runtime_fault;
  Timestamp started{}, now{};
  std::uint64_t desired_version = 0;
  Health health;
  std::vector<InstanceReport> instances;
  PoolSpace pool;
  std::optional<double> days_to_full;
  std::string bus_fault;
  std::uint64_t bus_restarts = 0;
  struct Uplink {
    std::string server, error;
    bool connected = false;
    std::uint64_t waiting = 0, dropped = 0;  // batches
  } uplink;
  ManagementReport management;
  std::vector<std::string> problems;  // files of sensor.d that were not taken, ...
  // What is heard of the server's wishes.
  struct Fleet {
    std::string server;         // empty: none was joined
    std::string key;            // pinned: what its documents must be signed by; empty: none
    bool connected = false;     // its stream is open
    std::string error;          // why not
    std::uint64_t version = 0;  // of its document that is followed; 0: none yet
    std::optional<Timestamp> taken, heard;
    std::map<std::string, std::uint64_t> refused;  // documents, by reason
    std::string refusal;                           // why the last one was, if none was taken since
  } fleet;

  std::string to_json() const;
};

}  // namespace beaconry
