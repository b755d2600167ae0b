#pragma once
#include <chrono>
#include <cstdint>
#include <cstring>

#include "base/time.h"
#include "flow/flow_name.h"
#include "flow/networks.h"
#include "flow/transition.h"
#include "packet/parse.h"

namespace beaconry {

// Which packet: its number within its file, from 1, and the file's place in
// FlowTable::Options::file_names.
struct PacketId {
  std::uint64_t number = 0;
  std::uint32_t file = 0;
};

struct FlowTuple : FlowEnds {
  // `from_a`: end a sent the packet.
  static FlowTuple of(const ParsedPacket& packet, bool& from_a);
  // `seed` is secret, so that nobody can craft flows that collide.
  std::uint32_t hash(std::uint64_t seed) const;
  IpAddress address(bool of_a) const;

  friend bool operator==(const FlowTuple& x, const FlowTuple& y) {
    return std::memcmp(&x, &y, sizeof x) == 0;
  }
};
static_assert(sizeof(FlowTuple) == 40, "compared byte by byte: no padding");

// Who opened the flow: what its packets say or, if it was first seen in its middle, what ports and
// networks do.
bool end_a_opened(const FlowTuple& tuple, const FlowCore& core, const Networks& networks);

// What FlowTable keeps of one flow. The first two cache lines hold all that a packet of a known
// flow touches: with many flows, getting them is most of a packet's cost.
struct alignas(64) FlowState {
  // How the core counts time: in microseconds.
  static constexpr FlowTime kSecond = 1'000'000;
  static FlowTime core_time(Timestamp time) { return time.time_since_epoch().count(); }
  static Timestamp timestamp(FlowTime time) { return Timestamp{Duration{time}}; }

  FlowTuple tuple{};
  FlowCore core{};
  std::uint32_t hash = 0;
  bool used = false;
  FlowName name;
  PacketId first_id, activity_id;

  // `idle`: what to take for an open flow in place of what its protocol asks for; 0: that.
  Duration patience(Duration idle) const {
    return Duration{flow_patience(&core, tuple.protocol, kSecond, idle.count())};
  }
  static constexpr Duration kLeastPatience = std::chrono::seconds{kFlowClosedIdle};
  // A live source waits so long for an activity's first payload, then reports it without: nobody
  // answers, and the flow may be open for hours. Payload that comes later still is of that
  // check-in.
  static constexpr Duration kPayloadPatience = std::chrono::seconds{3};
};

}  // namespace beaconry
