#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "flow/flow_event.h"
#include "flow/networks.h"

namespace beaconry {

// How packets are got, as `--mode` names it.
enum class CaptureMode : std::uint8_t { automatic, xdp, tc, xdp_generic, af_packet };

struct CaptureOptions {
  std::vector<std::string> interfaces;
  CaptureMode mode = CaptureMode::automatic;
  Networks networks;
  Duration burst_gap = std::chrono::seconds{1};
  Duration connection_timeout{0};      // idle flows are over after this; 0: by protocol
  std::size_t most_flows = 1 << 17;    // `max_buffer_size`: of the flow table
  std::size_t ring_bytes = 64 * 4096;  // `ring_buffer_pages`
  bool track_tcp = true, track_udp = true;
};

// What one interface gave since the capture began. Every packet that the hooks saw is in `packets`
// and in exactly one of the others of its first group.
struct InterfaceCounters {
  std::string interface;
  std::string hooks;  // "xdp+tc_egress", "tc_both", "xdp", "tc_ingress", "af_packet"
  std::uint64_t packets = 0;
  std::uint64_t tcp = 0, udp = 0, icmp = 0, other = 0;  // parsed, and counted in a flow
  std::uint64_t not_ip = 0, unparsable = 0;
  std::uint64_t later_fragments = 0, icmp_errors = 0, strays = 0, not_tracked = 0;
  std::uint64_t table_full = 0;    // packets of flows for which there was no room
  std::uint64_t ring_drops = 0;    // events that found the ring full; not packets
  std::uint64_t kernel_drops = 0;  // packets that the socket dropped before it was read
};

struct CaptureCounters {
  std::vector<InterfaceCounters> interfaces;
  std::uint64_t flows = 0;         // in the table now
  std::uint64_t flows_opened = 0;  // ever
  std::uint64_t flows_closed = 0;
  std::uint64_t flows_evicted = 0;  // of those: before their end, for want of room
  std::uint64_t names_given_up = 0;
};

// Live packets to flow events, by the contract of FlowEvent. One thread calls everything; events go
// to the sink given at opening, from within these calls. Destroying it detaches what is ours and
// nothing else.
class Capture {
 public:
  virtual ~Capture() = default;
  Capture() = default;
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // "xdp+tc_egress", "tc_both", "xdp", "tc_ingress", "af_packet": the least of all interfaces.
  virtual std::string_view mode() const = 0;
  // Hands out what the kernel has for us. To be called about every 100 ms.
  virtual void drain(Timestamp now) = 0;
  // At each export: activities that ended without another following yet are handed out, idle flows
  // end, long flows are reported as alive.
  virtual void report(Timestamp now) = 0;
  // All flows end: the last call.
  virtual void finish(Timestamp now) = 0;
  virtual CaptureCounters counters() const = 0;
};

// Tries the hooks in order of preference and logs what was attached. Needs CAP_BPF, CAP_NET_ADMIN
// and CAP_PERFMON while opening; draining and detaching need CAP_BPF and CAP_NET_ADMIN. The sink
// outlives the capture.
Result<std::unique_ptr<Capture>> open_ebpf(const CaptureOptions& options, FlowSink& sink);

// TPACKET_V3 with a thread for each of up to four cores. Needs CAP_NET_RAW while opening.
Result<std::unique_ptr<Capture>> open_af_packet(const CaptureOptions& options, FlowSink& sink);

// eBPF where it can be had, else AF_PACKET with a warning that says why; `mode` forces one.
Result<std::unique_ptr<Capture>> open_capture(const CaptureOptions& options, FlowSink& sink);

}  // namespace beaconry
