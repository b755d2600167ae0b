#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/hash_index.h"
#include "flow/flow_event.h"
#include "flow/flow_name.h"
#include "flow/flow_state.h"
#include "flow/networks.h"
#include "packet/parse.h"

namespace beaconry {

// What became of a packet.
enum class PacketUse : std::uint8_t {
  counted,
  later_fragment,  // has no ports, so its bytes are in no flow
  icmp_error,      // speaks of another flow and is none of its own
  stray_segment,   // TCP without data of no known flow: what follows a close, or a cut capture
};

// Puts packets together to flows and reports them to a sink, by the contract of FlowEvent. One
// thread. Memory is bounded by Options::most_flows and most_pending_bytes.
//
// A flow is the packets of one 5-tuple in both directions. Who opened it: the sender of the TCP
// SYN; of other protocols the first sender; if a flow is first seen in its middle, ports and
// networks decide (first_end_opened). An activity is what follows within burst_gap; only new
// payload begins another, so keep-alive probes, retransmissions and late FINs do not, nor does a
// good-bye of some bytes right before the close, which the close event carries. The first payload
// belongs to the activity that opened the flow, however late.
class FlowTable {
 public:
  struct Options {
    Networks networks;
    Duration burst_gap = std::chrono::seconds{1};
    std::size_t most_flows = 1 << 20;
    std::size_t most_pending_bytes = 64 << 20;  // of messages that may name their flows
    // How long an open flow may be silent, if not what its protocol asks for (0). Never less than
    // FlowState::kLeastPatience.
    Duration idle_timeout{0};
    std::vector<std::string> file_names{};  // more than one: ids become "name#number"
  };
  // What a flow takes of memory, its name and its place in the index included.
  static constexpr std::size_t kBytesPerFlow = 400;

  FlowTable(Options options, FlowSink& sink);
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  // Packets come about in order of time: late ones are taken as they are.
  PacketUse add_packet(const ParsedPacket& packet, Timestamp time, PacketId id);

  // Ends what has been idle too long as of `now`. Packets do so by themselves, a few flows each; a
  // live source calls this when none come.
  void expire(Timestamp now);

  // For a live source, at each export: ends what has been idle too long as of `now`, hands out the
  // activities that ended though nothing followed them, those too that had no payload for
  // FlowState::kPayloadPatience, and reports what was there at the report
  // before and goes on as `alive`. Flows that closed are left to their close event, at most
  // FlowState::kLeastPatience later. Packets that come late begin an activity of their own: `now`
  // is to be a little behind those still on their way.
  void report(Timestamp now);

  // Ends all flows: the input is at its end.
  void finish();

  std::size_t flow_count() const { return index_.size(); }
  std::uint64_t ended() const { return ended_; }      // flows reported as closed so far
  std::uint64_t evicted() const { return evicted_; }  // ended early because the table was full
  // Flows left without a name because of most_pending_bytes.
  std::uint64_t names_given_up() const { return names_.given_up(); }
  std::size_t pending_bytes() const { return names_.pending_bytes(); }

 private:
  FlowState& flow_at(std::uint32_t number);
  std::uint32_t create(const FlowTuple& tuple, std::uint32_t hash, const ParsedPacket& packet,
                       bool from_a, Timestamp time, PacketId id);
  void release(std::uint32_t number);
  void evict();
  void sweep(std::size_t count, Timestamp now);
  void advance_clock(Timestamp time);

  void update(FlowState& flow, const ParsedPacket& packet, bool from_a, Timestamp time,
              PacketId id);
  void read_names(FlowState& flow, const ParsedPacket& packet, bool from_opener, Timestamp time,
                  PacketId id);
  void begin_activity(FlowState& flow, Timestamp time, PacketId id);
  void end_activity(FlowState& flow);
  void end_flow(FlowState& flow);
  void report_alive(const FlowState& flow);
  // With the bytes of its activity, or those given, by end.
  void report(const FlowState& flow, FlowEvent& event, PacketId id);
  void report(const FlowState& flow, FlowEvent& event, const std::uint64_t (&bytes)[2],
              PacketId id);

  Options options_;
  FlowSink& sink_;
  FlowNameReader names_;
  HashIndex index_;
  std::vector<std::unique_ptr<FlowState[]>> chunks_;
  std::uint32_t created_ = 0;        // flows of the chunks that were ever used
  std::vector<std::uint32_t> free_;  // those that are not now
  std::uint32_t hand_ = 0;           // where the sweep goes on
  std::uint64_t seed_;               // so that nobody can craft colliding flows
  std::uint64_t ended_ = 0, evicted_ = 0;
  Timestamp clock_{};  // the input's time
  Timestamp leap_{};   // where the last packet jumped to, unless the clock is there
  bool clock_set_ = false;
  Timestamp last_report_ = Timestamp::min();
  std::string id_text_;
};

}  // namespace beaconry
