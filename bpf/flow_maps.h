#pragma once
// The maps, and what the loader sets before it loads. Sizes of `flows`, `events` and `counters` are
// the loader's (bpf_map__set_max_entries).
// clang-format off: libbpf's headers want the kernel's types before them.
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <stdbool.h>
// clang-format on

#include "abi/records.h"

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 131072);
  __type(key, FlowEnds);
  __type(value, FlowValue);
} flows SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 64 * 4096);
} events SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 64);
  __type(key, __u32);
  __type(value, PacketCounts);
} counters SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, ClockSample);
} clock SEC(".maps");

// Of the packet at work: too large for the stack. And what is written here the verifier forgets:
// it walks what follows once, not again for each way through the parser.
typedef struct Scratch {
  FlowRecord record;
  __u8 payload[kNamePayload + 8];  // copied by whole words
  ParsedPacket packet;
  const __u8* data;  // the frame's beginning: read back it is a number, as packet.payload is
  __u32 payload_at;  // where in the frame; 0: its beginning is not known
  __u32 from_a;
  __u32 kind;    // what to count
  __u32 copied;  // of the payload
  FlowTime now;
  __u64 now_ns;  // where it was needed
  __u64 needle;  // the payload's first bytes, where they were needed
  FlowStep step;
  __u8 may_name, names_all, named, overdue, ends_flow, ends_activity, lost;
} Scratch;

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, Scratch);
} scratch SEC(".maps");

// Constants of the loaded program: the verifier sees their values.
const volatile __u64 ticks_per_second = 250;
const volatile __u64 burst_gap_ticks = 250;
const volatile __u64 idle_ticks = 0;  // idle flows are over after this; 0: by protocol
const volatile __u64 ring_bytes = 64 * 4096;
const volatile __u32 counter_slots = 64;  // entries of `counters`
const volatile __u8 track_tcp = true;
const volatile __u8 track_udp = true;
