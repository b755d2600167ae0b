#pragma once
#include <cstdint>
#include <string>

#include "base/time.h"

namespace beaconry {

class Server;

// `beaconry simulate --to`: synthetic traffic, sent to a server as it happens.
struct LiveSimulation {
  Duration interval{0};  // of the beacon
  Duration backfill{0};  // so much of the past is sent first
  Duration length{0};    // 0: until SIGINT or SIGTERM
  std::uint64_t seed = 1;
  int hosts = 20;
};

// The exit status.
int simulate_live(const LiveSimulation& simulation, Server& server);

}  // namespace beaconry
