#pragma once
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/hash_index.h"
#include "control/packet_event.h"
#include "flow/flow_event.h"
#include "flow/networks.h"

namespace beaconry {

// Makes flow events of a predecessor's packet events, by the contract of FlowEvent. All that a
// batch says is handed out before add() returns, so nothing waits in memory that a crash would
// lose; what the events themselves say suffices to go on after one (restore()). A bounded table
// remembers flows, so that later batches know who opened them: the flow quiet longest goes first.
//
// Who opened: the sender of a SYN, the receiver of a SYN and ACK; of a TCP flow seen in its middle
// first_end_opened(); else the first sender. An activity ends with a silence of burst_gap. Only
// packets that may carry data count bytes: of a handshake's sizes nothing is to be learnt.
class PacketFlows {
 public:
  struct Options {
    Networks networks;
    Duration burst_gap = std::chrono::seconds{1};
    std::size_t most_flows = 1 << 19;  // of all nodes, about 150 bytes each
  };
  explicit PacketFlows(Options options);

  // One batch of one node. Sorts `events` by time. Any thread; one batch at a time goes on.
  void add(std::string_view node, std::vector<PacketEvent>& events, FlowSink& sink);
  // Learns from an event that add() had handed out before a restart.
  void restore(std::string_view node, const FlowEvent& event);

  std::size_t flows() const;
  std::uint64_t evicted() const;

 private:
  // The two ends of a node's flow in an order of their own.
  struct Ends {
    IpAddress a, b;
    std::uint64_t node = 0;
    std::uint16_t a_port = 0, b_port = 0;
    std::uint32_t protocol = 0;
    friend bool operator==(const Ends&, const Ends&) = default;
  };
  struct Flow {
    Ends ends;
    Timestamp first{}, last{}, activity_last{}, told_alive{};
    std::uint64_t batch = 0;   // that has reported the activity in work
    std::uint32_t report = 0;  // its place among that batch's reports
    std::uint32_t hash = 0;
    bool a_opened = true;
    bool answered = false;  // something but its opener's SYN was seen
    bool closed = false;
    bool used = false;
    Duration patience() const;
  };

  static Ends ends_of(std::uint64_t node, const PacketEvent& event, bool& from_a);
  std::uint32_t hash_of(const Ends& ends) const;
  std::uint32_t find(const Ends& ends, std::uint32_t hash) const;
  std::uint32_t create(const Ends& ends, std::uint32_t hash, Timestamp now);
  void release(std::uint32_t number);
  void make_room(Timestamp now);
  bool source_opened(const PacketEvent& event) const;
  void take(std::uint64_t node, const PacketEvent& event);
  FlowEvent& report(Flow& flow, FlowEventKind kind, Timestamp time);

  Options options_;
  mutable std::mutex mutex_;
  std::uint64_t seed_;
  HashIndex index_;
  std::vector<Flow> flows_;
  std::vector<std::uint32_t> free_;
  std::uint32_t hand_ = 0;
  std::uint64_t evicted_ = 0;
  std::uint64_t batch_ = 0;  // number of the batch in work
  std::vector<FlowEvent> reports_;
};

}  // namespace beaconry
