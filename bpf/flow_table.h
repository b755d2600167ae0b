#pragma once
// A packet's way through the flow table.
//
// Concurrency: a flow's value is read and changed under its bpf_spin_lock, so what every packet
// does to it is whole, whichever processors its two directions run on. Nothing is called under the
// lock; so whatever a packet may need (room in the ring, the exact time, its first bytes) is
// fetched before, by a look at the value without the lock. That look may find too much (the room is
// given back) and, where two processors meet within the same microsecond, too little: then it goes
// as if the ring were full, and is counted so. Kernel programs never delete flows: user space does,
// when they have been silent for ten seconds or longer.
//
// The ring is no part of the truth. What finds it full is counted, and
//   open    is not needed: the flow stands in the map;
//   named   the server stays without a name, or is named by the next payload;
//   burst   the activity goes on as if there had been no silence: no byte is lost;
//   close   the next flow of the same ends goes on as this one.
#include <stddef.h>

#include "flow_maps.h"

enum {
  kMostNamePayloads = 16,  // as FlowNameReader looks at
  kMostRequestParts = 2,   // payloads that may go on with a request's head
  kDnsPort = 53,
  kDhcpServerPort = 67,
  kDhcpClientPort = 68,
  kNeedleSize = 8,
};

#define ALWAYS static __always_inline

// Where the packet came from, for what must be read beyond its linear part.
typedef struct Hook {
  void* context;
  const __u8* data;
  __u32 length;  // of the whole frame
  __u32 interface;
  bool is_xdp;
} Hook;

// What was written to memory stays there: the compiler does not remember it in registers.
ALWAYS void forget(void) {
  __asm__ volatile("" ::: "memory");
}

ALWAYS void count(PacketCounts* counts, __u32 kind) {
  if (kind < kCountKinds) counts->count[kind]++;  // per CPU, and programs do not interrupt another
}

// Needs kernel 5.18 in XDP. Before, a frame is linear and read in words.
ALWAYS long load_bytes(const Hook* hook, __u32 offset, void* to, __u32 size) {
  if (!hook->is_xdp) return bpf_skb_load_bytes(hook->context, offset, to, size);
  return bpf_xdp_load_bytes(hook->context, offset, to, size);
}

ALWAYS bool ring_has_room_for_names(void) {
  // A quarter is kept for activities.
  return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) < ring_bytes - ring_bytes / 4;
}

ALWAYS bool always_named(const ParsedPacket* packet) {
  const __u16 a = packet->source_port, b = packet->destination_port;
  if (a == kDnsPort || b == kDnsPort) {
    return packet->protocol == kProtocolUdp || packet->protocol == kProtocolTcp;
  }
  return packet->protocol == kProtocolUdp && (a == kDhcpServerPort || b == kDhcpServerPort) &&
         (a == kDhcpServerPort || a == kDhcpClientPort) &&
         (b == kDhcpServerPort || b == kDhcpClientPort);
}

// GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH, CONNECT, TRACE: what their first four letters are.
ALWAYS bool looks_like_request(const __u8* bytes) {
  __u32 word;
  __builtin_memcpy(&word, bytes, 4);
  switch (__builtin_bswap32(word)) {
    case 0x47455420:  // "GET "
    case 0x48454144:  // "HEAD"
    case 0x504f5354:  // "POST"
    case 0x50555420:  // "PUT "
    case 0x44454c45:  // "DELE"
    case 0x4f505449:  // "OPTI"
    case 0x50415443:  // "PATC"
    case 0x434f4e4e:  // "CONN"
    case 0x54524143:  // "TRAC"
      return true;
  }
  return false;
}

// May this payload name the server? Keeps count of what is still worth a look. `needle` is its
// first bytes, zeros where it is shorter.
ALWAYS bool may_name(FlowSaved* flow, const ParsedPacket* packet, int from_a, const __u8* needle) {
  const FlowCore* core = &flow->core;
  __u32 sequence;
  if (flow->names_left == 0 || (core->opener_known && (core->a_opened != 0) != (from_a != 0))) {
    return false;
  }
  if (packet->protocol == kProtocolUdp) {  // QUIC version 1 or 2, long header
    flow->names_left--;
    return (needle[0] & 0xc0) == 0xc0;
  }
  sequence = packet->tcp_sequence + ((packet->tcp_flags & kTcpSyn) != 0 ? 1 : 0);
  if (flow->name_state == kNameTls) {
    flow->names_left--;
    if ((__s32)(flow->name_until - (sequence + packet->payload_length)) <= 0) {
      flow->names_left = 0;
      flow->name_state = kNameDone;
    }
    return true;
  }
  if (needle[0] == 0x16 && needle[1] == 3) {
    const __u32 length = 5 + ((__u32)needle[3] << 8 | needle[4]);
    flow->name_state = kNameTls;
    flow->name_until = sequence + length;
    flow->names_left--;
    if (length <= packet->payload_length) flow->names_left = 0;
    return true;
  }
  if (looks_like_request(needle)) {
    flow->name_state = kNameHttp;
    flow->name_more = kMostRequestParts;
    flow->names_left--;
    return true;
  }
  if (flow->name_more > 0) {
    flow->name_more--;
    return true;
  }
  if (flow->name_state == kNameUnknown) {
    flow->names_left--;
    // Captured before the stream's first segment: its reader waits for that one.
    return core->syn_seen && sequence != core->initial_sequence + 1 &&
           sequence - core->initial_sequence < 1 << 14;
  }
  return false;
}

ALWAYS void fill_packet(FlowRecord* record, const ParsedPacket* packet, const FlowEnds* ends,
                        int from_a, __u64 now_ns) {
  record->time_ns = now_ns;
  record->ends = *ends;
  record->sequence = packet->tcp_sequence;
  record->payload_length = packet->payload_length;
  record->captured = 0;
  record->from_a = from_a ? 1 : 0;
  record->tcp_flags = packet->tcp_flags;
  record->active = 0;
  record->unused[0] = record->unused[1] = 0;
}

// Sends the record with as much of the payload as there is.
ALWAYS void send_record(const Hook* hook, Scratch* room, bool with_payload, PacketCounts* counts) {
  __u32 size = 0;
  const __u32 offset = room->payload_at;
  if (with_payload && offset > 0 && offset < hook->length && ring_has_room_for_names()) {
    size = hook->length - offset;
    if (size > room->packet.payload_length) size = room->packet.payload_length;
    if (size > kNamePayload) size = kNamePayload;
    if (size > 0 && load_bytes(hook, offset, room->payload, size) != 0) size = 0;
  }
  if (with_payload && size == 0) {
    count(counts, kCountRingDrops);
    if (room->record.kind == kRecordNamed) return;
  }
  room->record.captured = (__u16)size;
  if (bpf_ringbuf_output(&events, room, sizeof room->record + size, BPF_RB_NO_WAKEUP) != 0) {
    count(counts, kCountRingDrops);
  }
}

// The first bytes of a payload that may name a server.
ALWAYS void read_needle(const Hook* hook, const Scratch* room, __u8* needle) {
  if (room->payload_at > 0 && room->packet.payload_length >= kNeedleSize) {
    load_bytes(hook, room->payload_at, needle, kNeedleSize);
  }
}

ALWAYS void begin_flow(FlowSaved* flow, const Hook* hook, const ParsedPacket* packet, int from_a,
                       FlowTime now, __u64 now_ns) {
  flow_begin(&flow->core, packet, from_a, now);
  flow->first_ns = flow->activity_ns = now_ns;
  flow->name_until = 0;
  flow->name_state = kNameUnknown;
  flow->names_left =
      packet->protocol == kProtocolTcp || packet->protocol == kProtocolUdp ? kMostNamePayloads : 0;
  flow->name_more = 0;
  flow->unused_name = 0;
  flow->interface = hook->interface;
}

// A flow that the map does not know. Returns what to count, or -1 if another processor was faster.
ALWAYS int open_flow(const Hook* hook, Scratch* room, const FlowEnds* ends, int from_a,
                     FlowTime now, __u32 kind, PacketCounts* counts) {
  const ParsedPacket* packet = &room->packet;
  FlowSaved* flow = &room->record.flow;
  __u64 needle = 0;
  FlowStep step;
  bool named;
  long failed;
  if (!flow_may_open(packet)) return kCountStrays;
  fill_packet(&room->record, packet, ends, from_a, bpf_ktime_get_ns());
  room->record.kind = kRecordOpen;
  begin_flow(flow, hook, packet, from_a, now, room->record.time_ns);
  flow->lock = 0;
  step = flow_take(&flow->core, packet, from_a, now, (FlowTime)burst_gap_ticks);
  room->record.active = step.active;
  named = false;
  if (packet->payload_length > 0) {
    read_needle(hook, room, (__u8*)&needle);
    named = always_named(packet) || may_name(flow, packet, from_a, (const __u8*)&needle);
  }
  flow_settle(&flow->core, packet, from_a, now, &step);
  failed = bpf_map_update_elem(&flows, ends, flow, BPF_NOEXIST);
  if (failed == -17) return -1;  // EEXIST
  if (failed != 0) return kCountTableFull;
  send_record(hook, room, named, counts);
  return (int)kind;
}

ALWAYS void update_flow(const Hook* hook, Scratch* room, FlowValue* value, const FlowEnds* ends,
                        int from_a, FlowTime now, PacketCounts* counts) {
  const ParsedPacket* packet = &room->packet;
  FlowSaved* flow = (FlowSaved*)value;
  const FlowTime gap = (FlowTime)burst_gap_ticks, second = (FlowTime)ticks_per_second;
  FlowRecord* record = NULL;
  __u64 needle = 0, now_ns = 0;
  FlowTime patience;
  FlowStep step;
  bool ends_flow = false, ends_activity = false, lost = false, look = false, named = false,
       names_all = false;

  if (packet->payload_length > 0) {
    names_all = always_named(packet);
    if (flow->names_left > 0 || names_all) {
      look = true;
      if (!names_all) read_needle(hook, room, (__u8*)&needle);
      now_ns = bpf_ktime_get_ns();
    }
  }
  patience = flow_patience(&flow->core, ends->protocol, second, (FlowTime)idle_ticks);
  if (now - flow->core.last > patience || (packet->tcp_flags & (kTcpSyn | kTcpAck)) == kTcpSyn ||
      flow_may_begin_activity(&flow->core, packet, now, gap)) {
    now_ns = bpf_ktime_get_ns();
    record = bpf_ringbuf_reserve(&events, sizeof *record, 0);
    if (record) fill_packet(record, packet, ends, from_a, now_ns);
  }

  bpf_spin_lock(&value->lock);
  patience = flow_patience(&flow->core, ends->protocol, second, (FlowTime)idle_ticks);
  if (now - flow->core.last > patience || flow_begins_anew(&flow->core, packet, from_a)) {
    if (record) {
      ends_flow = true;
      record->kind = kRecordClose;
      record->flow.core = flow->core;
      record->flow.first_ns = flow->first_ns;
      record->flow.activity_ns = flow->activity_ns;
      begin_flow(flow, hook, packet, from_a, now, now_ns);
    } else {
      lost = true;
    }
  }
  step = flow_take(&flow->core, packet, from_a, now, gap);
  if (step.begins) {
    if (record) {
      ends_activity = true;
      flow->core.reported = 1;
      record->kind = kRecordBurst;
      record->flow.core = flow->core;
      record->flow.first_ns = flow->first_ns;
      record->flow.activity_ns = flow->activity_ns;
      flow_begin_activity(&flow->core, now);
      flow->core.activity++;
      flow->activity_ns = now_ns;
      if (flow->name_state == kNameHttp) flow->names_left = kMostNamePayloads;
    } else {
      lost = true;
    }
  }
  if (look) {
    named = names_all || may_name(flow, packet, from_a, (const __u8*)&needle);
    if (named) {
      room->record.flow.core = flow->core;
      room->record.flow.first_ns = flow->first_ns;
      room->record.flow.activity_ns = flow->activity_ns;
    }
  }
  flow_settle(&flow->core, packet, from_a, now, &step);
  bpf_spin_unlock(&value->lock);

  if (record) {
    if (ends_flow || ends_activity) {
      bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
    } else {
      bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
    }
  }
  if (lost) count(counts, kCountRingDrops);
  if (named) {
    fill_packet(&room->record, packet, ends, from_a, now_ns);
    room->record.kind = kRecordNamed;
    room->record.active = step.active;
    send_record(hook, room, true, counts);
  }
}

// Returns what to count.
ALWAYS __u32 track_parsed(const Hook* hook, Scratch* room, PacketCounts* counts) {
  const ParsedPacket* packet = &room->packet;
  __u32 kind = kCountOther;
  FlowValue* value;
  FlowEnds ends;
  FlowTime now;
  int from_a;
  if (packet->fragment == kLaterFragment) return kCountLaterFragments;
  if (packet->protocol == kProtocolTcp) {
    if (!track_tcp) return kCountNotTracked;
    kind = kCountTcp;
  } else if (packet->protocol == kProtocolUdp) {
    if (!track_udp) return kCountNotTracked;
    kind = kCountUdp;
  } else if (packet->protocol == kProtocolIcmp || packet->protocol == kProtocolIcmpv6) {
    if (is_icmp_error(packet)) return kCountIcmpErrors;
    kind = kCountIcmp;
  }
  room->from_a = (__u32)flow_ends_of(packet, &ends);
  forget();
  from_a = (int)(room->from_a & 1);
  now = (FlowTime)bpf_jiffies64();
  value = bpf_map_lookup_elem(&flows, &ends);
  if (!value) {
    const int opened = open_flow(hook, room, &ends, from_a, now, kind, counts);
    if (opened >= 0) return (__u32)opened;
    value = bpf_map_lookup_elem(&flows, &ends);
    if (!value) return kCountTableFull;
  }
  update_flow(hook, room, value, &ends, from_a, now, counts);
  return kind;
}

ALWAYS void track(const Hook* hook, const __u8* data_end, __u32 stripped_tags) {
  const __u32 linear = parse_distance(hook->data, data_end), zero = 0;
  const __u32 slot = hook->interface < counter_slots ? hook->interface : 0;
  PacketCounts* counts = bpf_map_lookup_elem(&counters, &slot);
  Scratch* room = bpf_map_lookup_elem(&scratch, &zero);
  ParseResult parsed;
  __u32 cut = hook->length > linear ? hook->length - linear : 0;
  if (!counts || !room) return;
  count(counts, kCountPackets);
  if (cut > kLargestSegmentation) cut = kLargestSegmentation;
  parsed = parse_ethernet(hook->data, data_end, cut, stripped_tags, &room->packet);
  room->data = hook->data;
  forget();
  if (parsed == kParsed) {
    room->payload_at = room->packet.payload ? (__u32)(room->packet.payload - room->data) : 0;
    count(counts, track_parsed(hook, room, counts));
  } else {
    count(counts, parsed == kNotIp ? kCountNotIp : kCountUnparsable);
  }
}
