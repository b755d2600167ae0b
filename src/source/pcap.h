#pragma once
#include <memory>
#include <vector>

#include "flow/flow_event.h"
#include "source/byte_stream.h"
#include "source/read.h"

namespace beaconry {

// Reads packet captures, pcap and pcapng, merged by time.
void read_captures(std::vector<std::unique_ptr<ByteStream>> streams, const ReadOptions& options,
                   FlowSink& sink, ReadReport& report);

}  // namespace beaconry
