#pragma once
#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

// What is in a file that tcpdump wrote on this machine. A last record that is not whole (it was
// killed) counts as not there; any other that is none of a capture ends the reading.
struct PcapSummary {
  std::uint64_t packets = 0;
  Timestamp oldest{}, newest{};  // of its packets
  bool whole = true;             // nothing follows the last good record
};
Result<PcapSummary> scan_pcap(const std::string& path);
// Only the first packet is looked at: `packets` is 0 or 1.
Result<PcapSummary> peek_pcap(const std::string& path);

// Leaves out the packets from before `before` and what no packet is, by another file that takes the
// place of this one; REQUIRES that nobody writes to it.
struct PcapTrimmed {
  std::uint64_t packets = 0, bytes = 0;  // that went
};
Result<PcapTrimmed> trim_pcap(const std::string& path, Timestamp before);

}  // namespace beaconry
