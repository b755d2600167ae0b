#pragma once
#include <cstdint>
#include <cstring>

#include "base/time.h"
#include "flow/flow_name.h"
#include "packet/parse.h"

namespace beaconry {

// Which packet: its number within its file, from 1, and the file's place in
// FlowTable::Options::file_names.
struct PacketId {
  std::uint64_t number = 0;
  std::uint32_t file = 0;
};

// The two ends of a flow in an order of their own, so that both directions have the same key.
struct FlowTuple {
  std::uint64_t a[2];  // raw halves of the address
  std::uint64_t b[2];
  std::uint16_t a_port, b_port;
  std::uint32_t protocol;

  // `from_a`: end a sent the packet.
  static FlowTuple of(const ParsedPacket& packet, bool& from_a);
  // `seed` is secret, so that nobody can craft flows that collide.
  std::uint32_t hash(std::uint64_t seed) const;

  friend bool operator==(const FlowTuple& x, const FlowTuple& y) {
    return std::memcmp(&x, &y, sizeof x) == 0;
  }
};
static_assert(sizeof(FlowTuple) == 40, "compared byte by byte: no padding");

// What FlowTable keeps of one flow. The first two cache lines hold all that a packet of a known
// flow touches: with many flows, getting them is most of a packet's cost.
struct alignas(64) FlowState {
  FlowTuple tuple{};
  Timestamp last{};
  Timestamp activity_last{};
  std::uint32_t next_sequence[2] = {};  // by end, 0 the opener

  Timestamp activity_first{};
  std::uint64_t bytes[2] = {};  // of this activity
  std::uint32_t initial_sequence = 0;
  std::uint32_t hash = 0;
  bool used = false;
  bool a_opened = true;
  bool syn_seen = false;  // of the opener: initial_sequence holds
  bool reset = false;
  bool reported = false;     // an open or burst went out
  bool has_payload = false;  // in this activity
  bool seen[2] = {};         // next_sequence holds
  bool finished[2] = {};
  bool left[2] = {};  // FIN or RST within this activity
  FlowName name;

  Timestamp first{};
  PacketId first_id, activity_id;
  std::uint64_t told[2] = {};  // bytes of activities that were reported
  // The last activity was reported when it had been silent: what comes next begins another.
  bool at_rest = false;

  bool closed() const { return reset || (finished[0] && finished[1]); }
  // How long it may be silent before it is over; never less than kLeastPatience.
  Duration patience() const;
  static constexpr Duration kLeastPatience = std::chrono::seconds{10};

  void begin(const FlowTuple& key, std::uint32_t key_hash, Timestamp time, PacketId id);
  void begin_activity(Timestamp time, PacketId id);

  // Does this packet, a SYN, begin another flow of the same 5-tuple? Its initial sequence number
  // tells.
  bool begins_anew(const ParsedPacket& packet, bool from_a) const;
  // The opener's SYN, perhaps captured behind what follows it: it decides who opened, unless that
  // was already reported otherwise.
  void take_syn(const ParsedPacket& packet, bool from_a);
  // How much of a TCP payload was not sent before. Counted by sequence numbers, so that
  // retransmitted, mirrored and keep-alive bytes (RFC 9293 §3.8.4) count nothing and what the
  // capture missed counts.
  std::uint64_t new_bytes(const ParsedPacket& packet, unsigned end);
  // FIN and RST.
  void take_end(std::uint8_t tcp_flags, unsigned end, bool within_activity);
  // Is this activity nothing but a good-bye: a few bytes of one end (TLS close_notify, HTTP/2
  // GOAWAY) that then closes? That is part of closing, not a check-in.
  bool is_farewell() const;
};

}  // namespace beaconry
