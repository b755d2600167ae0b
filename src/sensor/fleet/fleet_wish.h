#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sensor/desired_state.h"

namespace beaconry {

// What of the server's document could not be taken, by instance: the others follow it.
struct FleetFault {
  std::string reason;
  bool of_config = false;  // else of its image or interfaces
};

// The server's document (docs/formats/fleet.md) as this sensor reads it.
struct FleetWish {
  std::string server;                             // whom people are sent to for a change
  std::map<std::string, InstanceWish> instances;  // with source kFleetSource
  std::map<std::string, FleetFault> faults;       // of those that this program cannot read
  std::vector<std::string> problems;              // what of the rest is not obeyed
  std::optional<ManagementWish> management;       // of this machine's network
  bool management_unread = false;                 // it has one that this program cannot read
};

// Instances one by one, so that what is wrong in one keeps none of the others. An error: it is no
// document at all. `allow_unsigned`: whether the document may say so; what may run is decided by
// keys that lie on this machine, and a server that was taken over has none of them.
Result<FleetWish> read_fleet_wish(const std::string& document_json, bool allow_unsigned);

// `state` with all that is the server's in it replaced by its wish. What a file or a command of
// this machine defines holds against the server, which is told in `problems`. Of what does not fit
// an image that is here, configuration and interfaces stay as they are in `before`; so does all of
// an instance that cannot be read: those are in `faults`. So are those that would make it more than
// kMostInstances; none that is in `before` gives way to them.
using CheckWish = std::function<Result<void>(const InstanceWish& wish)>;
DesiredState merge_fleet(const DesiredState& state, const DesiredState& before,
                         const FleetWish& fleet, const CheckWish& check,
                         std::map<std::string, FleetFault>& faults,
                         std::vector<std::string>& problems);

}  // namespace beaconry
