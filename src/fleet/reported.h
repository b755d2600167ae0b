#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

constexpr std::size_t kLongestReport = std::size_t{4} << 20;

// Nested: a whole is as bad as its worst part; a cause names what is at the root.
struct HealthPart {
  enum class State : std::uint8_t { unknown, healthy, degraded, failed };
  std::string name;
  State state = State::unknown;
  std::string cause, evidence, fix;
  std::vector<HealthPart> parts;

  bool is_bad() const { return state == State::degraded || state == State::failed; }
};

// What the server reads out of a sensor's report (docs/formats/sensor-state.md).
struct ReportedInstance {
  std::string name, image, wished_image, version;
  std::string state;  // RUNNING, BROKEN, ...
  std::string cause;
  bool wished_running = false;
  std::vector<std::string> wants_approval;
  std::string update_state, update_reason;  // INSTALLING, FAILED, ...; "" of an older sensor
  std::string update_what;                  // "the server's wish": it could not even be taken
  std::string config_state, config_reason;  // APPLYING, APPLIED, FAILED
  HealthPart health;

  bool is_changing() const;  // an image is being installed, or a configuration applied
};

// One message of a sensor: {"boot", "machine", "sequence", "reported": {the reported state}}. The
// first three say which running system speaks, and in which order.
struct Reported {
  std::string boot, machine;
  std::uint64_t sequence = 0;
  std::string name, version, runtime_fault;
  std::optional<Timestamp> now;  // by the sensor's clock
  std::uint64_t desired_version = 0;
  HealthPart health;
  std::vector<ReportedInstance> instances;
  std::vector<std::string> problems;
  std::string state_json;  // the reported state as a whole, as it was sent

  // A peer's bytes: bounded in size, depth and number. Keys that are not known are a newer sensor's
  // and left alone; a known one of another type is an error that names its place.
  static Result<Reported> parse(const std::string& json);
};

// The parts at the bottom of a tree that are not well: what made the rest so.
std::vector<const HealthPart*> root_causes(const HealthPart& health);

}  // namespace beaconry
