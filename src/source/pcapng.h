#pragma once
#include <memory>

#include "source/capture_reader.h"

namespace beaconry {

// pcapng files (draft-ietf-opsawg-pcapng): sections of either byte order, any number of interfaces
// with link types and clocks of their own; Enhanced, Simple and the older Packet Blocks. Other
// blocks are gone over.
bool looks_like_pcapng(ByteView beginning);
Result<std::unique_ptr<CaptureReader>> open_pcapng(BlockReader blocks);

}  // namespace beaconry
