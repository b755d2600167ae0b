#pragma once
#include <cstdint>
#include <string>

#include "base/time.h"

namespace beaconry {

// `beaconry simulate --to`: synthetic traffic, sent to a server as it happens.
struct LiveSimulation {
  std::string url;       // http://127.0.0.1:9090
  Duration interval{0};  // of the beacon
  Duration backfill{0};  // so much of the past is sent first
  Duration length{0};    // 0: until SIGINT or SIGTERM
  std::uint64_t seed = 1;
  int hosts = 20;
};

// The exit status. The token comes from BEACONRY_TOKEN.
int simulate_live(const LiveSimulation& simulation);

}  // namespace beaconry
