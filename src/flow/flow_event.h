#pragma once
#include <cstdint>
#include <limits>
#include <string_view>

#include "base/time.h"
#include "flow/pair_key.h"

namespace beaconry {

// What a source reports of a flow.
enum class FlowEventKind : std::uint8_t {
  open,   // its first activity
  named,  // its server name was learnt
  burst,  // activity after an idle gap inside it
  alive,  // a long flow goes on
  close,  // it ended
};

// Where a server name was read. Later kinds say more of where a flow really goes.
enum class NameKind : std::uint8_t { none, dns_domain, http_host, tls_sni, connect_target };

constexpr std::uint64_t kUnknownBytes = std::numeric_limits<std::uint64_t>::max();

// Sum of two counts of which either may be unknown; it stops below the number that says "unknown".
constexpr std::uint64_t add_bytes(std::uint64_t a, std::uint64_t b) {
  if (a == kUnknownBytes) return b;
  if (b == kUnknownBytes) return a;
  return b < kUnknownBytes - a ? a + b : kUnknownBytes - 1;
}

// One report. Events of one flow may come late or out of order; who stores them sorts them.
//
// Sources that see a flow only when it is over (logs) report it by one `close` whose
// `begins_check_in` is set: a whole flow is one check-in. Sources that look inside report `open`
// and each `burst` with `begins_check_in` set and the bytes of that activity alone, and a `close`
// without it. So adding the bytes of all events of a flow but `alive` gives its totals. `alive` is
// what a live source says of a long flow at each export: `time` is when the flow began, duration
// and bytes are its totals so far, and it never begins a check-in.
struct FlowEvent {
  FlowEventKind kind = FlowEventKind::close;
  bool begins_check_in = true;
  NameKind name_kind = NameKind::none;
  PairKey pair;  // source opened the flow
  std::uint16_t source_port = 0;
  Timestamp time{};      // when the activity, or for a whole flow the flow, began
  Duration duration{0};  // how long it lasted
  std::uint64_t bytes_out = kUnknownBytes;  // payload sent by the source, or unknown
  std::uint64_t bytes_in = kUnknownBytes;
  std::string_view server_name;  // lower case, without a final dot; empty where unknown
  std::string_view id;           // to pivot on: a Zeek uid, Suricata flow_id or packet number
};

// Takes what sources read. The strings of an event live only until the call returns.
// One thread calls one sink; a parallel source is given one sink for each of its threads.
class FlowSink {
 public:
  virtual ~FlowSink() = default;
  virtual void add(const FlowEvent& event) = 0;
  // For now no more follows: whatever was handed in must be done.
  virtual void settle() {}
  // A host calls itself `name` (DHCP) as of `time`.
  virtual void add_host_name(const IpAddress& host, std::string_view name, Timestamp time) = 0;
  // A DNS answer gave `address` for `name`, as of `time`: shown where a flow names no server.
  virtual void add_address_name(const IpAddress& address, std::string_view name,
                                Timestamp time) = 0;
};

}  // namespace beaconry
