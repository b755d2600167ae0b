#pragma once
#include <cstdint>

#include "base/time.h"
#include "flow/flow_event.h"

namespace beaconry {

// One visit of a pair: the flow activities that began closer together than the burst gap.
struct CheckIn {
  Timestamp time{};               // when the first of them began; kept to a millisecond
  Duration span{0};               // from there until the last of them began
  std::uint32_t connections = 1;  // how many activities it gathers
  bool inside_flow = false;       // every one of them was a burst inside a running flow
  std::uint64_t bytes_out = kUnknownBytes;
  std::uint64_t bytes_in = kUnknownBytes;
};

}  // namespace beaconry
