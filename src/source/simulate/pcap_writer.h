#pragma once
#include <string>

#include "base/result.h"
#include "source/simulate/traffic.h"

namespace beaconry::simulate {

constexpr std::size_t kMostFlowsInPcap = 400'000;

// Writes `traffic` as one pcap file of Ethernet frames with microseconds: handshakes, ClientHello
// with the server name, requests, lookups, payload (at most 64 KiB a direction), ends. For short
// runs: more than kMostFlowsInPcap flows are refused.
Result<void> write_pcap(const Traffic& traffic, const std::string& path);

}  // namespace beaconry::simulate
