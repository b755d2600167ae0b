#pragma once
// What the kernel programs and user space share: keys and values of the maps, and the records of
// the ring. Plain C, the same layout on both sides. Times named _ns are CLOCK_MONOTONIC; the rest
// are jiffies (FlowTime in transition.h).
#include "flow/transition.h"
#ifdef __bpf__
#include <linux/bpf.h>
#else
#ifdef __cplusplus
namespace beaconry {
#endif
#endif

enum { kNamePayload = 2048 };  // the most of a payload that a record carries

// Where a flow is in saying its server's name.
enum {
  kNameUnknown = 0,
  kNameTls,   // a ClientHello goes on to the sequence number `name_until`
  kNameHttp,  // other requests may name other servers
  kNameDone,
};

// What flows keeps of a flow besides its lock.
#define BEACONRY_FLOW_FIELDS                                                          \
  FlowCore core;                                                                      \
  uint64_t first_ns;    /* with the key: which flow it is; another one has another */ \
  uint64_t activity_ns; /* when this activity began */                                \
  uint32_t name_until;                                                                \
  uint8_t name_state;                                                                 \
  uint8_t names_left; /* payloads that may still name the server */                   \
  uint8_t name_more;  /* payloads that may go on with a request */                    \
  uint8_t unused_name;                                                                \
  uint32_t interface; /* where it was first seen */

typedef struct FlowSaved {
  BEACONRY_FLOW_FIELDS
  uint32_t lock;
} FlowSaved;

#ifdef __bpf__
// The value of the map `flows`; its key is FlowEnds. User space reads it as FlowSaved, with
// BPF_F_LOCK so that no half-made change is seen.
typedef struct FlowValue {
  BEACONRY_FLOW_FIELDS
  struct bpf_spin_lock lock;
} FlowValue;
#endif
#undef BEACONRY_FLOW_FIELDS

enum {
  kRecordOpen = 1,  // `flow` behind its first packet, whose payload follows
  kRecordNamed,     // a payload that may name the server; `flow` before it
  kRecordBurst,     // `flow` at the end of an activity that another one follows
  kRecordClose,     // `flow` at its end: another flow of the same ends follows
};

// A record of the ring `events`, then `captured` bytes of payload.
typedef struct FlowRecord {
  uint64_t time_ns;
  FlowEnds ends;
  FlowSaved flow;
  uint32_t sequence;        // of the packet, as its header says
  uint32_t payload_length;  // of the packet
  uint16_t captured;        // of the payload, at most kNamePayload
  uint8_t kind;
  uint8_t from_a;  // end a sent the packet
  uint8_t tcp_flags;
  uint8_t active;  // the payload is new: no retransmission
  uint8_t unused[2];
} FlowRecord;

// The per-CPU counters of one interface, in the map `counters` at its ifindex; of interfaces
// beyond the map's end, at 0. A packet is in kCountPackets and in exactly one of those up to
// kCountTableFull.
enum {
  kCountPackets = 0,
  kCountTcp,
  kCountUdp,
  kCountIcmp,
  kCountOther,
  kCountNotIp,
  kCountUnparsable,
  kCountLaterFragments,
  kCountIcmpErrors,
  kCountStrays,
  kCountNotTracked,
  kCountTableFull,
  kCountRingDrops,
  kCountKinds,
};
typedef struct PacketCounts {
  uint64_t count[kCountKinds];
} PacketCounts;

// The map `clock` at 0, as the program clock_sample left it.
typedef struct ClockSample {
  uint64_t jiffies;
  uint64_t time_ns;
} ClockSample;

#if !defined(__bpf__) && defined(__cplusplus)
}  // namespace beaconry
#endif
