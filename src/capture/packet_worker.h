#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "capture/capture.h"
#include "capture/event_buffer.h"
#include "capture/packet_ring.h"
#include "flow/flow_table.h"

namespace beaconry {

// One thread of a capture: its share of all interfaces' packets through a flow table of its own.
// What the table reports waits here for the thread that owns the capture.
class PacketWorker {
 public:
  using Groups = std::vector<std::unique_ptr<PacketGroup>>;

  // `groups` outlive the worker. `workers` is how many share the packets.
  static Result<std::unique_ptr<PacketWorker>> open(const CaptureOptions& options, Groups& groups,
                                                    unsigned workers);
  ~PacketWorker();
  void start();  // after all workers were opened
  void stop();   // reads what the kernel has, then ends the thread

  // What follows is for the owner's thread.
  void drain(FlowSink& sink);
  void report(Timestamp now, FlowSink& sink);
  void finish(FlowSink& sink);  // after stop()
  // Adds this worker's part.
  void count(CaptureCounters& total);

 private:
  struct Place {  // one interface
    PacketGroup* group = nullptr;
    std::unique_ptr<PacketRing> ring;
    InterfaceCounters counters;
    bool complained = false;  // that it cannot be opened again
  };

  PacketWorker(const CaptureOptions& options, std::size_t most_flows, bool share);
  void run();
  void read(Place& place);
  void take(const RingFrame& frame, InterfaceCounters& counters);
  void look_after(Place& place);

  const bool track_tcp_, track_udp_;
  const PacketRing::Options ring_options_;
  std::vector<Place> places_;
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;  // guards what follows, and the places' counters
  EventBuffer events_;
  FlowTable table_;
  ParsedPacket parsed_{};
  EventBuffer handed_;  // the owner's
  std::thread thread_;
};

}  // namespace beaconry
