#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "base/time.h"
#include "flow/flow_event.h"
#include "source/byte_stream.h"
#include "source/read.h"
#include "source/read_report.h"

namespace beaconry {

// How many files are open at once: enough for overlapping captures of many interfaces, far from the
// usual limits of descriptors and of memory for blocks.
constexpr std::size_t kMostCapturesOpen = 128;

// When the capture's first packet with a timestamp came; none if there is none near its start.
std::optional<Timestamp> first_packet_time(std::unique_ptr<ByteStream> stream);

// Reads pcap and pcapng files and hands their flows to the sink. The packets of all files run
// through one FlowTable in order of time, so a flow that goes on in the next file, or in the
// capture of another interface, is one flow. Files are opened in the order given, kMostCapturesOpen
// at a time: more than that must come in the order of their first packets.
//
// Of the options, networks, burst_gap and memory_limit count. Everything that was not used is in
// the report with its packet number; ARP, LLDP and the like are under "not IP". One thread.
void read_captures(std::vector<std::unique_ptr<ByteStream>> streams, const ReadOptions& options,
                   FlowSink& sink, ReadReport& report);

}  // namespace beaconry
