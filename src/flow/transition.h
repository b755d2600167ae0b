#pragma once
// What a packet does to its flow: opens it, begins another activity, adds bytes, ends it. Plain C
// like packet/parse.h, so that the flow table of user space and the kernel program run the same
// text. Nothing here allocates, calls out or reads a clock: times are handed in, counted in any
// unit of which the caller says how many make a second.
//
// A packet goes through in this order: is_icmp_error, flow_ends_of, look-up; if the flow was
// silent beyond flow_patience or flow_begins_anew, it is over; for an unknown flow flow_may_open
// and flow_begin; flow_take; if it says that an activity begins, the caller reports the finished
// one and calls flow_begin_activity; the caller reads names; flow_settle.
#include "packet/parse.h"
#ifdef __cplusplus
namespace beaconry {
#endif

typedef int64_t FlowTime;

// The two ends of a flow in an order of their own, so that both directions have the same key.
typedef struct FlowEnds {
  uint64_t a[2];  // raw halves of the address
  uint64_t b[2];
  uint16_t a_port, b_port;
  uint32_t protocol;
} FlowEnds;

// What is kept of one flow. Pairs are by end: 0 is a, 1 is b.
typedef struct FlowCore {
  FlowTime last;
  FlowTime activity_last;
  uint32_t next_sequence[2];
  FlowTime activity_first;
  uint64_t bytes[2];         // payload sent since the flow began
  uint64_t bytes_before[2];  // of that, before this activity
  uint32_t initial_sequence;
  uint32_t activity;     // number of this activity, from 0
  uint8_t opener_known;  // else ports and networks decide: first_end_opened()
  uint8_t a_opened;      // of use with opener_known
  uint8_t a_was_first;   // a sent the first packet
  uint8_t syn_seen;      // of the opener: initial_sequence holds
  uint8_t reset;
  uint8_t reported;     // an activity of it was reported: who opened it stands
  uint8_t has_payload;  // in this activity
  uint8_t at_rest;      // flow_rest
  uint8_t seen[2];      // next_sequence holds
  uint8_t finished[2];
  uint8_t left[2];  // FIN or RST within this activity
  uint8_t padding[2];
  FlowTime first;
} FlowCore;

// What flow_take found.
typedef struct FlowStep {
  uint64_t fresh;  // payload bytes that were not sent before
  uint8_t active;  // belongs to an activity
  uint8_t silent;  // comes after a silence of the burst gap
  uint8_t begins;  // begins another activity
  uint8_t is_syn;  // of either end
} FlowStep;

enum {
  // How long a flow may be silent, in seconds. An implant may check in once an hour inside one TCP
  // connection, with jitter: RFC 5382 REQ-5 keeps such a connection for 2 h 4 min. An unanswered
  // SYN is repeated after at most 64 s. RFC 4787 REQ-5 gives UDP two minutes at least; three is
  // what resolvers' and games' sockets need. After a close only stray segments follow.
  kFlowTcpIdle = 124 * 60,
  kFlowHalfOpenIdle = 2 * 60,
  kFlowClosedIdle = 10,
  kFlowUdpIdle = 3 * 60,
  kFlowOtherIdle = 60,
  // A hole in the sequence up to this size is lost or late packets; beyond, another numbering.
  kFlowLargestHole = 1 << 20,
  kFlowLongestFarewell = 256,
};

#define BEACONRY_FLOW static inline __attribute__((always_inline))

// Errors quote the packet that they answer; they open nothing (RFC 792, RFC 4443 §2.1).
BEACONRY_FLOW int is_icmp_error(const ParsedPacket* packet) {
  const uint8_t type = packet->icmp_type;
  if (packet->protocol == kProtocolIcmp) {
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
  }
  return packet->protocol == kProtocolIcmpv6 && type < 128;
}

BEACONRY_FLOW int is_echo_reply(const ParsedPacket* packet) {
  return (packet->protocol == kProtocolIcmp && packet->icmp_type == 0) ||
         (packet->protocol == kProtocolIcmpv6 && packet->icmp_type == 129);
}

// Fills the key; true if end a sent the packet.
BEACONRY_FLOW int flow_ends_of(const ParsedPacket* packet, FlowEnds* ends) {
  uint64_t source[2], destination[2];
  int from_a;
  __builtin_memcpy(source, packet->source, 16);
  __builtin_memcpy(destination, packet->destination, 16);
  from_a = source[1] != destination[1]   ? source[1] < destination[1]
           : source[0] != destination[0] ? source[0] < destination[0]
                                         : packet->source_port <= packet->destination_port;
  ends->protocol = packet->protocol;
  if (from_a) {
    ends->a[0] = source[0];
    ends->a[1] = source[1];
    ends->b[0] = destination[0];
    ends->b[1] = destination[1];
    ends->a_port = packet->source_port;
    ends->b_port = packet->destination_port;
  } else {
    ends->a[0] = destination[0];
    ends->a[1] = destination[1];
    ends->b[0] = source[0];
    ends->b[1] = source[1];
    ends->a_port = packet->destination_port;
    ends->b_port = packet->source_port;
  }
  return from_a;
}

BEACONRY_FLOW int flow_is_closed(const FlowCore* flow) {
  return flow->reset || (flow->finished[0] && flow->finished[1]);
}

// How long it may be silent before it is over; never less than kFlowClosedIdle. `idle`, unless 0,
// is how long any flow may that is not closed.
BEACONRY_FLOW FlowTime flow_patience(const FlowCore* flow, uint32_t protocol, FlowTime second,
                                     FlowTime idle) {
  int unanswered;
  if (protocol == kProtocolTcp && flow_is_closed(flow)) return kFlowClosedIdle * second;
  if (idle != 0) return idle;
  if (protocol == kProtocolUdp) return kFlowUdpIdle * second;
  if (protocol != kProtocolTcp) return kFlowOtherIdle * second;
  // Data without an answer is a capture of one direction, not a half-open connection.
  unanswered =
      flow->syn_seen && !flow->seen[flow->a_opened & 1] && !flow->bytes[0] && !flow->bytes[1];
  if (flow->finished[0] || flow->finished[1] || unanswered) return kFlowHalfOpenIdle * second;
  return kFlowTcpIdle * second;
}

// Does this packet, a SYN, begin another flow of the same ends? Its initial sequence number tells.
BEACONRY_FLOW int flow_begins_anew(const FlowCore* flow, const ParsedPacket* packet, int from_a) {
  const uint32_t end = from_a ? 0 : 1;
  if (packet->protocol != kProtocolTcp || (packet->tcp_flags & (kTcpSyn | kTcpAck)) != kTcpSyn) {
    return 0;
  }
  if (flow->syn_seen) {
    if (from_a == flow->a_opened) return packet->tcp_sequence != flow->initial_sequence;
    // else both ends open at once (RFC 9293 §3.5)
    return flow_is_closed(flow) || flow->seen[from_a ? 0 : 1];
  }
  // First seen in its middle: a SYN captured late fits what is known.
  return flow_is_closed(flow) ||
         (flow->seen[end] && flow->next_sequence[end] - (packet->tcp_sequence + 1) > 0x10000U);
}

// A TCP flow opens by a SYN or by data; what else comes of no known flow follows a close, or a
// capture that began late.
BEACONRY_FLOW int flow_may_open(const ParsedPacket* packet) {
  return packet->protocol != kProtocolTcp || (packet->tcp_flags & kTcpSyn) != 0 ||
         (packet->payload_length > 0 && (packet->tcp_flags & kTcpRst) == 0);
}

BEACONRY_FLOW void flow_begin_activity(FlowCore* flow, FlowTime time) {
  flow->activity_first = flow->activity_last = time;
  flow->bytes_before[0] = flow->bytes[0];
  flow->bytes_before[1] = flow->bytes[1];
  flow->has_payload = flow->left[0] = flow->left[1] = flow->at_rest = 0;
}

// All of this activity was reported, since it was silent: what comes next begins another.
BEACONRY_FLOW void flow_rest(FlowCore* flow) {
  flow->bytes_before[0] = flow->bytes[0];
  flow->bytes_before[1] = flow->bytes[1];
  flow->has_payload = 0;
  flow->at_rest = 1;
}

// The first packet. Who opened it: the sender of the TCP SYN; of other protocols the first sender;
// if a flow is first seen in its middle, nobody knows.
BEACONRY_FLOW void flow_begin(FlowCore* flow, const ParsedPacket* packet, int from_a,
                              FlowTime time) {
  enum { kEphemeral = 1024 };
  __builtin_memset(flow, 0, sizeof *flow);
  flow->first = flow->last = flow->activity_first = flow->activity_last = time;
  flow->a_was_first = from_a ? 1 : 0;
  flow->opener_known = 1;
  if (packet->protocol == kProtocolTcp) {
    if ((packet->tcp_flags & kTcpSyn) == 0) {
      flow->opener_known = 0;
    } else {
      flow->a_opened = (packet->tcp_flags & kTcpAck) == 0 ? flow->a_was_first : !from_a;
    }
  } else if (is_echo_reply(packet)) {
    flow->a_opened = !from_a;
  } else if (packet->source_port < kEphemeral && packet->destination_port >= kEphemeral) {
    flow->opener_known = 0;
  } else {
    flow->a_opened = flow->a_was_first;
  }
}

// How much of a TCP payload was not sent before. Counted by sequence numbers, so that
// retransmitted, mirrored and keep-alive bytes (RFC 9293 §3.8.4) count nothing and what the
// capture missed counts.
BEACONRY_FLOW uint64_t flow_new_bytes(FlowCore* flow, const ParsedPacket* packet, uint32_t end) {
  const uint32_t size = packet->payload_length;
  const uint32_t fin = (packet->tcp_flags & kTcpFin) != 0 ? 1 : 0;
  const uint32_t behind =
      packet->tcp_sequence + ((packet->tcp_flags & kTcpSyn) != 0 ? 1 : 0) + size;
  int32_t ahead;
  if ((packet->tcp_flags & kTcpRst) != 0) return 0;
  if (!flow->seen[end]) {
    flow->seen[end] = 1;
    flow->next_sequence[end] = behind + fin;
    return size;
  }
  ahead = (int32_t)(behind - flow->next_sequence[end]);
  if (size == 0) {
    if (ahead == 0) flow->next_sequence[end] += fin;
    return 0;
  }
  if (ahead <= 0 && ahead >= -kFlowLargestHole) return 0;
  flow->next_sequence[end] = behind + fin;
  if (ahead < 0 || (int64_t)ahead - kFlowLargestHole > (int64_t)size) return size;
  return (uint64_t)ahead;
}

BEACONRY_FLOW int flow_is_silent(const FlowCore* flow, FlowTime time, FlowTime burst_gap) {
  return time - flow->activity_last >= burst_gap || flow->activity_first - time >= burst_gap;
}

// May flow_take find that this packet begins another activity? True too often, never too seldom.
BEACONRY_FLOW int flow_may_begin_activity(const FlowCore* flow, const ParsedPacket* packet,
                                          FlowTime time, FlowTime burst_gap) {
  return flow->has_payload && flow_is_silent(flow, time, burst_gap) &&
         (packet->payload_length > 0 ||
          (packet->protocol != kProtocolTcp && packet->protocol != kProtocolUdp));
}

BEACONRY_FLOW FlowStep flow_take(FlowCore* flow, const ParsedPacket* packet, int from_a,
                                 FlowTime time, FlowTime burst_gap) {
  const int tcp = packet->protocol == kProtocolTcp;
  FlowStep step;
  step.is_syn = tcp && (packet->tcp_flags & kTcpSyn) != 0;
  // The opener's SYN, perhaps captured behind what follows it: it decides who opened, unless that
  // was already reported otherwise.
  if (step.is_syn && (packet->tcp_flags & kTcpAck) == 0 && !flow->syn_seen) {
    const int agrees = flow->opener_known && (flow->a_opened != 0) == (from_a != 0);
    if (agrees || !flow->reported) {
      flow->opener_known = 1;
      flow->a_opened = from_a ? 1 : 0;
      flow->syn_seen = 1;
      flow->initial_sequence = packet->tcp_sequence;
    }
  }
  step.fresh = tcp ? flow_new_bytes(flow, packet, from_a ? 0 : 1) : packet->payload_length;
  // An empty ICMP message is a message; an empty UDP datagram keeps a path open.
  step.active = step.fresh > 0 || !(tcp || packet->protocol == kProtocolUdp);
  step.silent = (uint8_t)flow_is_silent(flow, time, burst_gap);
  step.begins = step.active && ((step.silent && flow->has_payload) || flow->at_rest);
  return step;
}

BEACONRY_FLOW void flow_settle(FlowCore* flow, const ParsedPacket* packet, int from_a,
                               FlowTime time, const FlowStep* step) {
  const uint32_t end = from_a ? 0 : 1;
  if (step->active || step->is_syn || !step->silent) {
    if (time < flow->activity_first) flow->activity_first = time;
    if (time > flow->activity_last) flow->activity_last = time;
  }
  flow->has_payload |= step->active;
  flow->bytes[end] += step->fresh;
  if (time < flow->first) flow->first = time;
  if (time > flow->last) flow->last = time;
  if (packet->protocol == kProtocolTcp) {
    const uint8_t fin = (packet->tcp_flags & kTcpFin) != 0;
    const uint8_t rst = (packet->tcp_flags & kTcpRst) != 0;
    flow->reset |= rst;
    flow->finished[end] |= fin;
    flow->left[end] |= (step->active || !step->silent) && (fin || rst);
  }
}

// Of this activity.
BEACONRY_FLOW uint64_t flow_activity_bytes(const FlowCore* flow, uint32_t end) {
  return flow->bytes[end] - flow->bytes_before[end];
}

// Is this activity nothing but a good-bye: a few bytes of one end (TLS close_notify, HTTP/2
// GOAWAY) that then closes? That is part of closing, not a check-in.
BEACONRY_FLOW int flow_is_farewell(const FlowCore* flow) {
  const uint64_t a = flow_activity_bytes(flow, 0), b = flow_activity_bytes(flow, 1);
  // The first that was ever said is no good-bye.
  if (!flow->bytes_before[0] && !flow->bytes_before[1]) return 0;
  return (flow->left[0] && a <= kFlowLongestFarewell && b == 0) ||
         (flow->left[1] && b <= kFlowLongestFarewell && a == 0);
}

#undef BEACONRY_FLOW

#ifdef __cplusplus
}  // namespace beaconry
#endif
