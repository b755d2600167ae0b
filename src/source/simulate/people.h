#pragma once
#include "source/simulate/network.h"

namespace beaconry::simulate {

// How much people do.
struct PeoplePlan {
  double activity = 1;            // pages read, relative to an ordinary office
  double streaming_share = 0.06;  // of workstations, that stream on a day
  double chat_share = 0.3;
  double sync_share = 0.15;
};

// Everybody at the workstations: sessions of browsing with heavy-tailed pauses, pages that open
// several connections to many servers, streaming, chat, synchronised folders, internal files.
void people(SimulatedNetwork& network, const PeoplePlan& plan, Random random);

}  // namespace beaconry::simulate
