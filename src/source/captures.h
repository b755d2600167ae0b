#pragma once
#include <memory>
#include <vector>

#include "flow/flow_event.h"
#include "source/byte_stream.h"
#include "source/read.h"
#include "source/read_report.h"

namespace beaconry {

// Reads pcap and pcapng files and hands their flows to the sink. The packets of all files run
// through one FlowTable in order of time, so a flow that goes on in the next file, or in the
// capture of another interface, is one flow. Files are opened in the order given, 128 at a time, so
// more than that should come in about the order of their time.
//
// Of the options, networks, burst_gap and memory_limit count. Everything that was not used is in
// the report with its packet number; ARP, LLDP and the like are under "not IP". One thread.
void read_captures(std::vector<std::unique_ptr<ByteStream>> streams, const ReadOptions& options,
                   FlowSink& sink, ReadReport& report);

}  // namespace beaconry
