#pragma once
#include <cstdint>

#include "base/ip_address.h"
#include "base/time.h"
#include "flow/pair_key.h"

namespace beaconry {

// One packet as a predecessor's data plane reports it: the first of a connection in some direction,
// and then at most one every 100 ms.
struct PacketEvent {
  Timestamp time{};
  IpAddress source, destination;  // of the packet
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint32_t size = 0;  // of the whole packet in bytes; 0: not told
  Protocol protocol = Protocol::tcp;
  std::uint8_t tcp_flags = 0;  // 0: not told
};

}  // namespace beaconry
