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

ALWAYS bool has_xdp_load_bytes(void) {
  return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_xdp_load_bytes);  // since 5.18
}

// Copies the beginning of the payload to room->payload, also from beyond the frame's linear part.
ALWAYS bool load_payload(const Hook* hook, Scratch* room, __u32 size) {
  const __u8 *at, *end;
  __u32 i;
  // 1 to kNamePayload, in words that the verifiers of older kernels understand.
  size -= 1;
  __asm__ volatile("" : "+r"(size));
  size &= kNamePayload - 1;
  size += 1;
  if (!hook->is_xdp) {
    return bpf_skb_load_bytes(hook->context, room->payload_at, room->payload, size) == 0;
  }
  if (has_xdp_load_bytes()) {
    return bpf_xdp_load_bytes(hook->context, room->payload_at, room->payload, size) == 0;
  }
  // Older kernels' frames are linear. The place is kept in memory: see forget().
  end = (const __u8*)(long)((struct xdp_md*)hook->context)->data_end;
  room->copied = 0;
  for (i = 0; i < kNamePayload / 8 + 8; ++i) {
    __u32 place, offset;
    forget();
    place = room->copied;
    offset = room->payload_at;
    if (place >= size || place >= kNamePayload || offset > 0x7fff) break;
    at = hook->data + offset + place;
    if (at + 8 <= end) {
      *(__u64*)(room->payload + place) = *(const __u64*)at;
      room->copied = place + 8;
    } else {
      if (at + 1 > end) break;
      room->payload[place] = *at;
      room->copied = place + 1;
    }
  }
  forget();
  return room->copied >= size;
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

ALWAYS void fill_packet(FlowRecord* record, const Scratch* room, const FlowEnds* ends) {
  record->time_ns = room->now_ns;
  record->ends = *ends;
  record->sequence = room->packet.tcp_sequence;
  record->payload_length = room->packet.payload_length;
  record->captured = 0;
  record->from_a = (__u8)room->from_a;
  record->tcp_flags = room->packet.tcp_flags;
  record->active = room->step.active;
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
    if (size > 0 && !load_payload(hook, room, size)) size = 0;
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

// The first bytes of a payload that may name a server; zeros where it is shorter.
ALWAYS __u64 read_needle(const Hook* hook, const Scratch* room) {
  __u64 needle = 0;
  const __u32 offset = room->payload_at;
  if (offset == 0 || room->packet.payload_length < sizeof needle) return 0;
  if (!hook->is_xdp) {
    bpf_skb_load_bytes(hook->context, offset, &needle, sizeof needle);
  } else if (has_xdp_load_bytes()) {
    bpf_xdp_load_bytes(hook->context, offset, &needle, sizeof needle);
  } else if (offset <= 0x7fff) {
    const __u8* at = hook->data + offset;
    const __u8* end = (const __u8*)(long)((struct xdp_md*)hook->context)->data_end;
    if (at + sizeof needle <= end) needle = *(const __u64*)at;
  }
  return needle;
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

// A flow that the map does not know. True if it does now: another processor was faster.
ALWAYS bool open_flow(const Hook* hook, Scratch* room, const FlowEnds* ends, PacketCounts* counts) {
  const ParsedPacket* packet = &room->packet;
  const FlowTime now = room->now;
  const int from_a = (int)(room->from_a & 1);
  FlowSaved* flow = &room->record.flow;
  long failed;
  if (!flow_may_open(packet)) {
    room->kind = kCountStrays;
    return false;
  }
  room->now_ns = bpf_ktime_get_ns();
  begin_flow(flow, hook, packet, from_a, now, room->now_ns);
  flow->lock = 0;
  room->step = flow_take(&flow->core, packet, from_a, now, (FlowTime)burst_gap_ticks);
  room->named = 0;
  if (packet->payload_length > 0) {
    room->needle = read_needle(hook, room);
    room->named =
        always_named(packet) || may_name(flow, packet, from_a, (const __u8*)&room->needle);
  }
  forget();
  flow_settle(&flow->core, packet, (int)(room->from_a & 1), now, &room->step);
  forget();
  failed = bpf_map_update_elem(&flows, ends, flow, BPF_NOEXIST);
  if (failed == -17) return true;  // EEXIST
  if (failed != 0) {
    room->kind = kCountTableFull;
    return false;
  }
  fill_packet(&room->record, room, ends);
  room->record.kind = kRecordOpen;
  send_record(hook, room, room->named, counts);
  return false;
}

// What this packet may need is fetched: the exact time, its first bytes, room in the ring.
ALWAYS FlowRecord* prepare_update(const Hook* hook, Scratch* room, const FlowSaved* flow,
                                  const FlowEnds* ends) {
  const ParsedPacket* packet = &room->packet;
  const FlowTime now = room->now, second = (FlowTime)ticks_per_second;
  bool rare;
  room->may_name = room->names_all = 0;
  if (packet->payload_length > 0) {
    room->names_all = always_named(packet);
    room->may_name = room->names_all || flow->names_left > 0;
  }
  rare = now - flow->core.last >
             flow_patience(&flow->core, ends->protocol, second, (FlowTime)idle_ticks) ||
         (packet->tcp_flags & (kTcpSyn | kTcpAck)) == kTcpSyn ||
         flow_may_begin_activity(&flow->core, packet, now, (FlowTime)burst_gap_ticks);
  if (rare || room->may_name) room->now_ns = bpf_ktime_get_ns();
  room->needle = 0;
  if (room->may_name && !room->names_all) room->needle = read_needle(hook, room);
  forget();
  return rare ? bpf_ringbuf_reserve(&events, sizeof(FlowRecord), 0) : NULL;
}

ALWAYS void keep(FlowRecord* record, const FlowSaved* flow) {
  record->flow.core = flow->core;
  record->flow.first_ns = flow->first_ns;
  record->flow.activity_ns = flow->activity_ns;
}

// Under the lock.
ALWAYS void change_flow(const Hook* hook, Scratch* room, FlowSaved* flow, const FlowEnds* ends,
                        FlowRecord* record) {
  const ParsedPacket* packet = &room->packet;
  const FlowTime now = room->now, second = (FlowTime)ticks_per_second;
  int from_a = (int)(room->from_a & 1);
  room->lost = room->ends_flow = room->ends_activity = room->named = 0;
  room->overdue = now - flow->core.last >
                      flow_patience(&flow->core, ends->protocol, second, (FlowTime)idle_ticks) ||
                  flow_begins_anew(&flow->core, packet, from_a);
  forget();
  if (room->overdue) {
    if (record) {
      room->ends_flow = 1;
      keep(record, flow);
      begin_flow(flow, hook, packet, from_a, now, room->now_ns);
    } else {
      room->lost = 1;
    }
  }
  forget();
  room->step = flow_take(&flow->core, packet, from_a, now, (FlowTime)burst_gap_ticks);
  forget();
  if (room->step.begins) {
    if (record) {
      room->ends_activity = 1;
      flow->core.reported = 1;
      keep(record, flow);
      flow_begin_activity(&flow->core, now);
      flow->core.activity++;
      flow->activity_ns = room->now_ns;
      if (flow->name_state == kNameHttp) flow->names_left = kMostNamePayloads;
    } else {
      room->lost = 1;
    }
  }
  forget();
  if (room->may_name) {
    room->named = room->names_all || may_name(flow, packet, from_a, (const __u8*)&room->needle);
    forget();
    if (room->named) keep(&room->record, flow);
  }
  forget();
  flow_settle(&flow->core, packet, (int)(room->from_a & 1), now, &room->step);
}

ALWAYS void update_flow(const Hook* hook, Scratch* room, FlowValue* value, const FlowEnds* ends,
                        PacketCounts* counts) {
  FlowSaved* flow = (FlowSaved*)value;
  FlowRecord* record = prepare_update(hook, room, flow, ends);

  // Twice the same text, so that verifiers see on each way whether there is a record.
  if (record) {
    bpf_spin_lock(&value->lock);
    change_flow(hook, room, flow, ends, record);
    bpf_spin_unlock(&value->lock);
    forget();
    if (room->ends_flow || room->ends_activity) {
      fill_packet(record, room, ends);
      record->kind = room->ends_flow ? kRecordClose : kRecordBurst;
      bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
    } else {
      bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
    }
  } else {
    bpf_spin_lock(&value->lock);
    change_flow(hook, room, flow, ends, NULL);
    bpf_spin_unlock(&value->lock);
    forget();
  }
  if (room->lost) count(counts, kCountRingDrops);
  if (room->named) {
    fill_packet(&room->record, room, ends);
    room->record.kind = kRecordNamed;
    send_record(hook, room, true, counts);
  }
}

// Fills room->kind with what to count; true if the packet belongs to a flow.
ALWAYS bool choose(Scratch* room) {
  const ParsedPacket* packet = &room->packet;
  room->kind = kCountOther;
  if (packet->fragment == kLaterFragment) {
    room->kind = kCountLaterFragments;
    return false;
  }
  if (packet->protocol == kProtocolTcp) {
    room->kind = track_tcp ? kCountTcp : kCountNotTracked;
    return track_tcp;
  }
  if (packet->protocol == kProtocolUdp) {
    room->kind = track_udp ? kCountUdp : kCountNotTracked;
    return track_udp;
  }
  if (packet->protocol == kProtocolIcmp || packet->protocol == kProtocolIcmpv6) {
    const int error = is_icmp_error(packet);
    room->kind = error ? kCountIcmpErrors : kCountIcmp;
    return !error;
  }
  return true;
}

ALWAYS void track_parsed(const Hook* hook, Scratch* room, PacketCounts* counts) {
  FlowValue* value;
  FlowEnds ends;
  if (!choose(room)) return;
  room->from_a = (__u32)flow_ends_of(&room->packet, &ends);
  room->now = (FlowTime)bpf_jiffies64();
  forget();
  value = bpf_map_lookup_elem(&flows, &ends);
  if (!value) {
    if (!open_flow(hook, room, &ends, counts)) return;
    value = bpf_map_lookup_elem(&flows, &ends);
    if (!value) {
      room->kind = kCountTableFull;
      return;
    }
  }
  forget();
  update_flow(hook, room, value, &ends, counts);
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
    track_parsed(hook, room, counts);
    forget();
    count(counts, room->kind);
  } else {
    count(counts, parsed == kNotIp ? kCountNotIp : kCountUnparsable);
  }
}
