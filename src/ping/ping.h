#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/time.h"
#include "packet/craft.h"
#include "ping/method_id.h"

namespace beaconry {

// A probe, by the first eight bytes of the BLAKE2b of its public box key.
struct ProbeId {
  std::uint64_t value = 0;
  std::string to_string() const;  // 16 hex digits
  static std::optional<ProbeId> parse(std::string_view text);
  friend auto operator<=>(const ProbeId&, const ProbeId&) = default;
};

// The triple ping: out, back, and out again once the probe has read the answer.
enum class Leg : std::uint8_t { outbound = 1, reply = 2, confirmed = 3 };
enum class CycleKind : std::uint8_t { short_cycle = 0, long_cycle = 1 };

// One authenticated message between a probe and home, or between two probes: what a try was, as the
// probe meant it. What became of it on its way is in the Observation.
struct Ping {
  Leg leg = Leg::outbound;
  MethodId method = MethodId::none;
  std::uint8_t variant = 0;  // of the method: a protocol's number, a form
  CycleKind cycle_kind = CycleKind::short_cycle;
  std::uint32_t cycle = 0;  // how many of this kind the probe had begun
  ProbeId probe;
  std::uint64_t sequence = 0;  // of the try, from 1, never used twice by a probe
  Timestamp sent{};            // the probe's clock
  IpAddress source;        // the address that the probe had, perhaps not the packet's; may be ::
  IpAddress destination;   // where home was meant to be reached
  std::uint16_t port = 0;  // there; 0 where there is none
  IpAddress via;           // the neighbour, gateway or resolver that was tried; :: for none

  friend bool operator==(const Ping&, const Ping&) = default;
};

// Plaintext of a ping: docs/formats/ping.md. 35 to 83 bytes: IPv4 addresses take four, :: none.
// `sent` outside kEarliest to kLatest becomes the nearer of the two. Reading takes up to
// kLongestPing and ignores what follows: later versions may add to the end.
constexpr std::size_t kShortestPing = 35;
constexpr std::size_t kLongestPing = 96;
Bytes encode_ping(const Ping& ping);
Result<Ping> decode_ping(ByteView bytes);

}  // namespace beaconry
