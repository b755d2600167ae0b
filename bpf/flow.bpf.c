// The kernel side of the collector: every packet updates its flow in a shared table, and passes.
// Nothing is changed or dropped. README.md draws the way of one packet.
#include <linux/pkt_cls.h>

#include "flow_table.h"

// bpf_jiffies64 and what else is used is licensed so.
char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("xdp")
int xdp_connection_tracker(struct xdp_md* context) {
  const __u8* data = (const __u8*)(long)context->data;
  const __u8* data_end = (const __u8*)(long)context->data_end;
  const Hook hook = {context, data, parse_distance(data, data_end), context->ingress_ifindex, true};
  track(&hook, data_end, 0);
  return XDP_PASS;
}

enum { kHeaders = 128 };  // what all of them together rarely exceed

ALWAYS int track_skb(struct __sk_buff* skb) {
  const __u8* data = (const __u8*)(long)skb->data;
  const __u8* data_end = (const __u8*)(long)skb->data_end;
  // Long frames from packet sockets and virtual machines may have little but an Ethernet header at
  // hand.
  if (data + kHeaders > data_end && skb->len > (__u32)(data_end - data)) {
    bpf_skb_pull_data(skb, skb->len < kHeaders ? skb->len : kHeaders);
    data = (const __u8*)(long)skb->data;
    data_end = (const __u8*)(long)skb->data_end;
  }
  const Hook hook = {skb, data, skb->len, skb->ifindex, false};
  track(&hook, data_end, skb->vlan_present ? 1 : 0);
  return TC_ACT_UNSPEC;  // other filters go on
}

SEC("tc")
int tc_egress_tracker(struct __sk_buff* skb) {
  return track_skb(skb);
}

SEC("tc")
int tc_ingress_tracker(struct __sk_buff* skb) {
  return track_skb(skb);
}

// Run by user space (BPF_PROG_TEST_RUN) to learn what jiffies stand for.
SEC("tc")
int clock_sample(struct __sk_buff* skb __attribute__((unused))) {
  const __u32 zero = 0;
  ClockSample* sample = bpf_map_lookup_elem(&clock, &zero);
  if (sample) {
    sample->jiffies = bpf_jiffies64();
    sample->time_ns = bpf_ktime_get_ns();
  }
  return TC_ACT_UNSPEC;
}
