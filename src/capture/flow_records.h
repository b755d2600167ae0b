#pragma once
#include <bpf/abi/records.h>

#include <cstdint>
#include <string>
#include <unordered_map>

#include "flow/flow_event.h"
#include "flow/flow_name.h"
#include "flow/flow_state.h"
#include "flow/networks.h"
#include "packet/found_name.h"

namespace beaconry {

// What the kernel's times mean. The kernel counts jiffies and nanoseconds of CLOCK_MONOTONIC, which
// no step of the wall clock touches; UTC is an offset, taken anew when it moved by more than a few
// milliseconds, so that lengths within a flow survive any step. One sample is not believed: between
// reading the two clocks the thread may have been kept waiting.
class KernelClock {
 public:
  // `sample` was taken as UTC was `now`.
  void set(const ClockSample& sample, Timestamp now);

  Timestamp utc(std::uint64_t monotonic_ns) const;
  Duration length(FlowTime ticks) const;
  FlowTime ticks(Duration length) const;  // rounded up
  FlowTime jiffies() const { return jiffies_; }
  FlowTime ticks_per_second() const { return ticks_per_second_; }
  std::uint64_t steps() const { return steps_; }  // how often the wall clock was set

  explicit KernelClock(FlowTime ticks_per_second) : ticks_per_second_(ticks_per_second) {}
  // How many jiffies this kernel makes a second (CONFIG_HZ), from its coarse clock's resolution.
  static FlowTime kernel_ticks_per_second();

 private:
  FlowTime ticks_per_second_;
  FlowTime jiffies_ = 0;
  std::int64_t offset_us_ = 0;   // UTC less CLOCK_MONOTONIC
  std::int64_t doubted_us_ = 0;  // another one, that no second sample confirmed yet
  std::uint64_t steps_ = 0;
  bool set_ = false, doubted_ = false;
};

// Turns what the kernel programs leave (records of the ring, entries of the flow map) into flow
// events, by the contract of FlowEvent and as FlowTable would. One thread. It keeps what user space
// must remember of a flow: its name, who opened it, which of its activities went out. Memory is
// bounded by the flow map's size and Options::most_pending_bytes.
//
// How to use it: at each drain, set_clock(), then add() for each record of the ring. At each
// report, after a drain, look() at every entry of the map; where it says the flow is over, delete
// the entry and hand end() what it last held; then end_scan().
class FlowRecords {
 public:
  struct Options {
    Networks networks;
    Duration burst_gap = std::chrono::seconds{1};
    Duration idle_timeout{0};                   // as the program's idle_ticks; 0: by protocol
    std::size_t most_pending_bytes = 16 << 20;  // of messages that may name their flows
    FlowTime ticks_per_second = KernelClock::kernel_ticks_per_second();
  };
  FlowRecords(Options options, FlowSink& sink);
  FlowRecords(const FlowRecords&) = delete;
  FlowRecords& operator=(const FlowRecords&) = delete;

  void set_clock(const ClockSample& sample, Timestamp now) { clock_.set(sample, now); }
  const KernelClock& clock() const { return clock_; }

  // A record of the ring: a FlowRecord and its payload. False if it is none: counted as malformed.
  bool add(ByteView record);

  // An entry of the flow map: an activity that ended goes out, unless the flow closed: then its
  // close, at most kFlowClosedIdle later, tells all. What was there at the scan before and goes on
  // is reported as alive. True if the flow has been silent for too long and is over.
  bool look(const FlowEnds& ends, const FlowSaved& flow);
  // The flow is over, or the capture is: what was not reported goes out, and the close.
  void end(const FlowEnds& ends, const FlowSaved& flow);
  // Every entry was looked at: what is remembered of others is forgotten.
  void end_scan();

  std::size_t flow_count() const { return flows_.size(); }
  std::uint64_t opened() const { return opened_; }
  std::uint64_t closed() const { return closed_; }
  std::uint64_t malformed() const { return malformed_; }
  std::uint64_t names_given_up() const { return names_.given_up(); }
  std::size_t pending_bytes() const { return names_.pending_bytes(); }

 private:
  // Which flow: another one of the same ends began at another time.
  struct Key {
    FlowTuple tuple;
    std::uint64_t first_ns;
    friend bool operator==(const Key& x, const Key& y) {
      return x.first_ns == y.first_ns && x.tuple == y.tuple;
    }
  };
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(const Key& key) const { return key.tuple.hash(seed ^ key.first_ns); }
  };
  struct Flow {
    FlowName name;
    bool reported = false;       // an activity went out
    bool opener_stands = false;  // as it was told: a_opened
    bool a_opened = false;
    std::uint32_t scan = 0;  // when it was last seen in the map
    // What went out of the activity of this number. A name splits an activity where it changes: the
    // next part begins at part_ns.
    std::uint32_t activity = 0;
    std::uint64_t bytes_out[2] = {};  // by end
    std::uint64_t part_ns = 0;        // 0: the activity's own beginning
    bool done = false;                // it seemed to be over
  };

  Flow& flow_of(const FlowEnds& ends, const FlowSaved& saved);
  void read_payload(const FlowRecord& record, ByteView payload);
  void report_part(Flow& flow, const FlowEnds& ends, const FlowSaved& saved);
  void send(FlowEvent& event, Flow& flow, const FlowEnds& ends, const FlowSaved& saved,
            const std::uint64_t (&bytes)[2]);
  bool opened_by_a(const Flow& flow, const FlowEnds& ends, const FlowSaved& saved) const;

  Options options_;
  FlowSink& sink_;
  KernelClock clock_;
  FlowNameReader names_;  // outlives the flows' names
  std::unordered_map<Key, Flow, Hash> flows_;
  std::uint32_t scan_ = 1;
  FlowTime last_scan_ = 0;  // jiffies
  std::uint64_t opened_ = 0, closed_ = 0, malformed_ = 0;
};

}  // namespace beaconry
