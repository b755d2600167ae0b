#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "sensor/management_wish.h"
#include "sensor/network/interface_state.h"
#include "sensor/reported_state.h"

namespace beaconry {

// What of the management network outlives the daemon: on disk before the network is touched.
struct ManagementMemory {
  using State = ManagementReport::State;
  State state = State::none;
  std::uint64_t version = 0;
  Timestamp since{};
  std::string reason;
  std::optional<ManagementWish> trial;      // while the state is that
  std::optional<ManagementWish> refused;    // went back, and is not tried again
  std::optional<ManagementWish> confirmed;  // in force, or what was before
  // The way back: while it is there, the network is not known to be as it was.
  struct Back {
    NetworkState network;
    std::optional<std::string> resolv_conf;
    std::string boot;  // of the running system whose network it was
  };
  std::optional<Back> back;

  std::string to_json() const;
  // What no run could have left behind is an error, too.
  static Result<ManagementMemory> parse(const std::string& json);
};

}  // namespace beaconry
