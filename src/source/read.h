#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "flow/flow_event.h"
#include "flow/networks.h"
#include "source/read_report.h"

namespace beaconry {

struct ReadOptions {
  std::vector<std::string> paths;  // files, folders (read recursively), "-" for standard input
  Networks networks;               // decides the direction of flows seen from their middle
  // Inside one flow, activity after this long a silence is a check-in of its own.
  Duration burst_gap = std::chrono::seconds{1};
  std::uint64_t memory_limit = 1ULL << 30;  // for what joining logs and tracking flows needs
};

// Reads every input to its end and hands what it finds to the sinks: one thread a sink, so two
// sinks let logs be parsed on two cores. Formats are told by content: pcap, pcapng, Zeek (TSV,
// JSON), Suricata eve; gzip and zstd are undone. What can't be read goes into the report and never
// stops the rest. Returns when all is read; throws nothing.
void read_inputs(const ReadOptions& options, std::span<FlowSink* const> sinks, ReadReport& report);

}  // namespace beaconry
