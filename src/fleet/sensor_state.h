#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "fleet/reported.h"

namespace beaconry {

// Pure: what a sensor is, of what it told and of the server's clock. A sensor's own clock decides
// nothing.
enum class SensorState : std::uint8_t { healthy, unhealthy, updating, offline, inactive };
constexpr std::array<SensorState, 5> kSensorStates = {SensorState::healthy, SensorState::unhealthy,
                                                      SensorState::updating, SensorState::offline,
                                                      SensorState::inactive};
std::string_view to_string(SensorState state);  // Healthy, ...
std::string state_word(SensorState state);      // healthy, ...: of the API
std::optional<SensorState> parse_sensor_state(std::string_view word);

// A sensor speaks at least every 60 s. Late is a remark; only much later is offline.
constexpr Duration kLateAfter = std::chrono::seconds{90};
constexpr Duration kOfflineAfter = std::chrono::minutes{5};
constexpr Duration kInactiveAfter = std::chrono::hours{24 * 14};
// A change that goes on for longer is no change but a fault.
constexpr Duration kLongestUpdate = std::chrono::hours{2};

struct SensorCause {
  std::string cause;    // equal for equal roots
  std::string subject;  // the instance; empty: the sensor itself
  std::string evidence, fix;
};

// What is kept of a sensor between its reports.
struct SensorMemory {
  Timestamp enrolled{};
  std::optional<Timestamp> heard;           // when the last report came; empty: none ever
  SensorState said = SensorState::healthy;  // by the last report; neither offline nor inactive
  Timestamp said_since{};
  std::string why;
  std::vector<SensorCause> causes;
  std::uint64_t version = 0;  // of the desired state that it follows
  // The version of its reports, and when the first of them came, which may still tell of before.
  std::uint64_t told = 0;
  Timestamp told_since{};

  bool tells_of_its_version() const { return heard && *heard > told_since; }
};

// The newest version that the sensor shall have, and since when.
struct SensorWish {
  std::uint64_t version = 0;
  Timestamp since{};
};

struct SensorStanding {
  SensorState state = SensorState::offline;
  Timestamp since{};
  std::string why;  // empty: healthy, and nothing to say
  bool late = false;
  std::vector<SensorCause> causes;  // of one that is unhealthy
};

// A report that came at `now`.
void hear(SensorMemory& memory, const Reported& report, Timestamp now);
SensorStanding stand(const SensorMemory& memory, const SensorWish& wish, Timestamp now);

// One root of trouble over the whole fleet: "upstream proxy does not answer: 14 sensors".
struct FleetCause {
  std::string cause, evidence, fix;  // evidence: of the first sensor
  std::vector<std::string> sensors;  // by name
  std::size_t instances = 0;
  Timestamp since{};  // of the sensor that is so for longest

  std::string words() const;
};
// By name; those that meet the most sensors first.
std::vector<FleetCause> collapse(
    const std::vector<std::pair<std::string, SensorStanding>>& sensors);

}  // namespace beaconry
