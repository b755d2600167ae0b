#include "source/pcap.h"

namespace beaconry {

void read_captures(std::vector<std::unique_ptr<ByteStream>> streams, const ReadOptions&, FlowSink&,
                   ReadReport& report) {
  for (const auto& stream : streams)
    report.fail_input(stream->name(), "packet captures are not supported by this build");
}

}  // namespace beaconry
