#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/document_history.h"
#include "image/image.h"
#include "sensor/management_wish.h"
#include "sensor/network.h"

namespace beaconry {

// The `source` of what the server's document defines.
inline constexpr std::string_view kFleetSource = "fleet";
// Of a desired state, and of what of it a report tells.
inline constexpr std::size_t kMostInstances = 256;

// What one instance shall be. Nothing here is the present: that is the reported state.
struct InstanceWish {
  std::string name;   // beacon_0
  std::string image;  // fingerprint of an image in the image folder
  bool running = true;
  std::vector<InterfaceWish> interfaces;
  std::string config_json;  // empty: the manifest's defaults
  std::chrono::hours retention{24 * 30};
  bool allow_unsigned = false;  // said by name
  std::string approved;         // permission digest that somebody approved; empty: the image's
                                // own at its first install
  std::uint64_t restarts = 0;   // counts `restart` commands: another number restarts it
  std::string source;           // file that defines it, or kFleetSource; empty: by command
};

// The whole of what a sensor shall be: one document, versioned, which could come from afar.
// docs/formats/sensor-state.md.
struct DesiredState {
  std::map<std::string, InstanceWish> instances;
  std::optional<ManagementWish> management;  // none: not the sensor's to touch
  std::string management_source;             // kFleetSource; empty: by command

  static Result<DesiredState> parse(const std::string& json);
  std::string to_json() const;
};

// A file of /etc/beaconry/sensor.d: one instance or several. Errors name file and line; an image is
// given as a path or as NAME[:VERSION] of an image that is there.
struct DesiredFile {
  std::vector<InstanceWish> instances;
  bool blank = false;  // says nothing at all, not even `instances: {}`
};
Result<DesiredFile> read_desired_file(const std::string& path);

std::string_view to_string(InterfaceWish::Kind kind);  // physical, bridge, ...
// A list of interfaces as the desired state and the API have it.
Result<std::vector<InterfaceWish>> parse_interfaces(const std::string& json);
std::string interfaces_json(const std::vector<InterfaceWish>& wishes);

}  // namespace beaconry
