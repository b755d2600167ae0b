#include "flow/flow_state.h"

#include <utility>

namespace beaconry {
namespace {

// How long a flow may be silent. An implant may check in once an hour inside one TCP connection,
// with jitter: RFC 5382 REQ-5 keeps such a connection for 2 h 4 min. An unanswered SYN is repeated
// after at most 64 s. RFC 4787 REQ-5 gives UDP two minutes at least; three is what resolvers' and
// games' sockets need. After a close only stray segments follow.
constexpr Duration kTcpIdle = std::chrono::minutes{124};
constexpr Duration kTcpHalfOpenIdle = std::chrono::minutes{2};
constexpr Duration kTcpClosedIdle = FlowState::kLeastPatience;
constexpr Duration kUdpIdle = std::chrono::minutes{3};
constexpr Duration kOtherIdle = std::chrono::minutes{1};

// A hole in the sequence up to this size is lost or late packets; beyond, another numbering.
constexpr std::int32_t kLargestHole = 1 << 20;

constexpr std::uint64_t kLongestFarewell = 256;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

FlowTuple FlowTuple::of(const ParsedPacket& packet, bool& from_a) {
  FlowTuple tuple;
  std::memcpy(tuple.a, packet.source, 16);
  std::memcpy(tuple.b, packet.destination, 16);
  tuple.a_port = packet.source_port;
  tuple.b_port = packet.destination_port;
  tuple.protocol = packet.protocol;
  from_a = tuple.a[1] != tuple.b[1]   ? tuple.a[1] < tuple.b[1]
           : tuple.a[0] != tuple.b[0] ? tuple.a[0] < tuple.b[0]
                                      : tuple.a_port <= tuple.b_port;
  if (!from_a) {
    std::swap(tuple.a, tuple.b);
    std::swap(tuple.a_port, tuple.b_port);
  }
  return tuple;
}

std::uint32_t FlowTuple::hash(std::uint64_t seed) const {
  const std::uint64_t rest = static_cast<std::uint64_t>(a_port) << 48 |
                             static_cast<std::uint64_t>(b_port) << 32 | protocol;
  const std::uint64_t ends = mix(a[0] ^ b[0] ^ seed, a[1] ^ 0x9e3779b97f4a7c15ULL) ^
                             mix(b[1] ^ seed, rest ^ 0xd6e8feb86659fd93ULL) ^ b[0];
  return static_cast<std::uint32_t>(mix(ends ^ seed, 0xa0761d6478bd642fULL));
}

Duration FlowState::patience() const {
  if (tuple.protocol == kProtocolTcp) {
    if (closed()) return kTcpClosedIdle;
    // Data without an answer is a capture of one direction, not a half-open connection.
    const bool unanswered = syn_seen && !seen[1] && !reported && !has_payload;
    return finished[0] || finished[1] || unanswered ? kTcpHalfOpenIdle : kTcpIdle;
  }
  return tuple.protocol == kProtocolUdp ? kUdpIdle : kOtherIdle;
}

void FlowState::begin(const FlowTuple& key, std::uint32_t key_hash, Timestamp time, PacketId id) {
  tuple = key;
  hash = key_hash;
  first = last = time;
  first_id = id;
  used = true;
  syn_seen = reset = reported = false;
  seen[0] = seen[1] = finished[0] = finished[1] = false;
  next_sequence[0] = next_sequence[1] = 0;
  told[0] = told[1] = 0;
  name.clear();
  begin_activity(time, id);
}

void FlowState::begin_activity(Timestamp time, PacketId id) {
  activity_first = activity_last = time;
  activity_id = id;
  bytes[0] = bytes[1] = 0;
  has_payload = left[0] = left[1] = at_rest = false;
}

void FlowState::take_syn(const ParsedPacket& packet, bool from_a) {
  if (from_a != a_opened) {
    if (reported) return;
    a_opened = from_a;
    std::swap(bytes[0], bytes[1]);
    std::swap(seen[0], seen[1]);
    std::swap(finished[0], finished[1]);
    std::swap(next_sequence[0], next_sequence[1]);
  }
  syn_seen = true;
  initial_sequence = packet.tcp_sequence;
}

std::uint64_t FlowState::new_bytes(const ParsedPacket& packet, unsigned end) {
  if ((packet.tcp_flags & kTcpRst) != 0) return 0;
  const std::uint32_t size = packet.payload_length;
  const std::uint32_t syn = (packet.tcp_flags & kTcpSyn) != 0 ? 1 : 0;
  const std::uint32_t fin = (packet.tcp_flags & kTcpFin) != 0 ? 1 : 0;
  const std::uint32_t behind = packet.tcp_sequence + syn + size;
  if (!seen[end]) {
    seen[end] = true;
    next_sequence[end] = behind + fin;
    return size;
  }
  const auto ahead = static_cast<std::int32_t>(behind - next_sequence[end]);
  if (size == 0) {
    if (ahead == 0) next_sequence[end] += fin;
    return 0;
  }
  if (ahead <= 0 && ahead >= -kLargestHole) return 0;
  next_sequence[end] = behind + fin;
  if (ahead < 0 || std::int64_t{ahead} - kLargestHole > std::int64_t{size}) return size;
  return static_cast<std::uint64_t>(ahead);
}

bool FlowState::begins_anew(const ParsedPacket& packet, bool from_a) const {
  if (packet.protocol != kProtocolTcp || (packet.tcp_flags & (kTcpSyn | kTcpAck)) != kTcpSyn)
    return false;
  const unsigned end = from_a == a_opened ? 0 : 1;
  if (syn_seen) {
    if (end == 0) return packet.tcp_sequence != initial_sequence;
    return closed() || seen[1];  // else both ends open at once (RFC 9293 §3.5)
  }
  // First seen in its middle: a SYN captured late fits what is known.
  constexpr std::uint32_t kNear = 1 << 16;
  return closed() || (seen[end] && next_sequence[end] - (packet.tcp_sequence + 1) > kNear);
}

void FlowState::take_end(std::uint8_t tcp_flags, unsigned end, bool within_activity) {
  const bool fin = (tcp_flags & kTcpFin) != 0, rst = (tcp_flags & kTcpRst) != 0;
  reset |= rst;
  finished[end] |= fin;
  left[end] |= within_activity && (fin || rst);
}

bool FlowState::is_farewell() const {
  const auto only = [&](unsigned end) {
    return left[end] && bytes[end] <= kLongestFarewell && bytes[1 - end] == 0;
  };
  return only(0) || only(1);
}

}  // namespace beaconry
