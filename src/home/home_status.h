#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "home/probe_book.h"
#include "home/receiver.h"
#include "uplink/flow_batch.h"

namespace beaconry {

// What home says of itself, for its local socket.
struct HomeStatus {
  struct Way {
    std::string name;
    std::string fault;  // why it is not open; empty: it is
    std::vector<Receiver::Counter> counters;
  };
  struct Probe {
    KnownProbe probe;
    ProbeBook::Record record;
  };
  std::string box_public, id;
  std::vector<Way> receivers;
  std::vector<EdgeCounter> counters;  // home's own: no place
  std::vector<Probe> probes;
};
std::string to_json(const HomeStatus& status);

}  // namespace beaconry
