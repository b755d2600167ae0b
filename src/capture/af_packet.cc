// AF_PACKET: packets by ring buffers of sockets, where eBPF cannot be had.
#include <algorithm>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "capture/capture.h"
#include "capture/packet_worker.h"

namespace beaconry {
namespace {

constexpr unsigned kMostWorkers = 4;

class AfPacketCapture final : public Capture {
 public:
  explicit AfPacketCapture(FlowSink& sink) : sink_(sink) {}

  Result<void> open(const CaptureOptions& options) {
    for (const std::string& interface : options.interfaces) {
      groups_.push_back(std::make_unique<PacketGroup>());
      groups_.back()->interface = interface;
    }
    const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1U, kMostWorkers);
    for (unsigned i = 0; i < count; ++i) {
      auto worker = PacketWorker::open(options, groups_, count);
      if (!worker) return tl::unexpected<Error>(worker.error());
      workers_.push_back(std::move(*worker));
    }
    for (const auto& worker : workers_)
      worker->start();
    return {};
  }

  std::string_view mode() const override { return "af_packet"; }

  void drain(Timestamp) override {
    for (const auto& worker : workers_)
      worker->drain(sink_);
  }

  void report(Timestamp now) override {
    for (const auto& worker : workers_)
      worker->report(now, sink_);
  }

  void finish(Timestamp) override {
    for (const auto& worker : workers_)
      worker->stop();
    for (const auto& worker : workers_)
      worker->finish(sink_);
  }

  CaptureCounters counters() const override {
    CaptureCounters total;
    for (const auto& group : groups_) {
      InterfaceCounters one;
      one.interface = group->interface;
      one.hooks = "af_packet";
      total.interfaces.push_back(std::move(one));
    }
    for (const auto& worker : workers_)
      worker->count(total);
    return total;
  }

 private:
  FlowSink& sink_;
  PacketWorker::Groups groups_;
  std::vector<std::unique_ptr<PacketWorker>> workers_;
};

}  // namespace

Result<std::unique_ptr<Capture>> open_af_packet(const CaptureOptions& options, FlowSink& sink) {
  if (options.interfaces.empty()) {
    return fail(ErrorKind::usage, "capture", "", "no interface given");
  }
  auto capture = std::make_unique<AfPacketCapture>(sink);
  if (auto done = capture->open(options); !done) return tl::unexpected<Error>(done.error());
  return std::unique_ptr<Capture>(std::move(capture));
}

}  // namespace beaconry
