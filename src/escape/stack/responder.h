#pragma once
#include <optional>

#include "escape/segment.h"
#include "escape/stack/frame.h"

namespace beaconry {

// What the probe answers to others, for addresses of its own alone, never for the kernel's: ARP,
// neighbour solicitations, echoes. The frame to send, or nothing.
std::optional<Bytes> answer_to(const Frame& frame, const MacAddress& ours, const Segment& segment);

}  // namespace beaconry
