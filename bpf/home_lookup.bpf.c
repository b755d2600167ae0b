// Home's way to every port: TCP connections and UDP datagrams to ports that nobody uses go to
// home's sockets, with the addresses and ports that they came with. A link to the network
// namespace; it goes with the process that made it.
//
// What is in use, user space says: two bits a port, twice a second. A client's UDP socket may be
// younger than that, so datagrams to the ports that the machine gives to clients are not taken.
#include <linux/bpf.h>
// After linux/bpf.h, whose types it needs.
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum {
  kTcp = 6,
  kUdp = 17,
  kIpv4 = 2,  // AF_INET
  kIpv6 = 10,
  kPorts = 65536,
  kWordBits = 64,
  kSockets = 4,
};

// Order: TCP over IPv4, over IPv6, UDP over IPv4, over IPv6.
struct {
  __uint(type, BPF_MAP_TYPE_SOCKMAP);
  __uint(max_entries, kSockets);
  __type(key, __u32);
  __type(value, __u64);
} sockets SEC(".maps");

// Memory that user space shares: ports that are in use, a bit each, TCP's then UDP's; and the first
// and the last port that the machine gives to clients.
__u64 used_ports[2 * kPorts / kWordBits] = {};
__u32 first_client_port = 32768;
__u32 last_client_port = 65535;

SEC("sk_lookup")
int home_lookup(struct bpf_sk_lookup* context) {
  const __u32 is_udp = context->protocol == kUdp;
  const __u32 port = context->local_port;
  if (context->protocol != kTcp && !is_udp) return SK_PASS;
  if (context->family == kIpv4) {
    if ((bpf_ntohl(context->local_ip4) >> 24) == 127) return SK_PASS;
  } else if (context->family == kIpv6) {
    if (context->local_ip6[0] == 0 && context->local_ip6[1] == 0 && context->local_ip6[2] == 0 &&
        context->local_ip6[3] == bpf_htonl(1)) {
      return SK_PASS;
    }
  } else {
    return SK_PASS;
  }
  const __u32 bit = (port & (kPorts - 1)) + (is_udp ? kPorts : 0);
  if (used_ports[bit / kWordBits] >> (bit % kWordBits) & 1) return SK_PASS;
  if (is_udp && port >= first_client_port && port <= last_client_port) return SK_PASS;
  const __u32 index = is_udp * 2 + (context->family == kIpv6);
  struct bpf_sock* socket = bpf_map_lookup_elem(&sockets, &index);
  if (!socket) return SK_PASS;
  bpf_sk_assign(context, socket, 0);  // refused: the kernel goes on as without us
  bpf_sk_release(socket);
  return SK_PASS;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
