#pragma once
#include <memory>

#include "source/capture_reader.h"

namespace beaconry {

// pcap files (draft-ietf-opsawg-pcap): both byte orders, microseconds and nanoseconds, and Alexey
// Kuznetzov's variant with longer record headers.
bool looks_like_pcap(ByteView beginning);
Result<std::unique_ptr<CaptureReader>> open_pcap(BlockReader blocks);

}  // namespace beaconry
