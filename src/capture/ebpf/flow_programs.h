#pragma once
#include <bpf/abi/records.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "capture/capture.h"
#include "capture/ebpf/interface_hooks.h"

namespace beaconry {

// The kernel programs, loaded, with their maps. Nothing is compiled and no kernel headers are read:
// the bytecode is part of this program. One thread.
class FlowPrograms {
 public:
  using Record = std::function<void(std::string_view)>;

  // Needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN. Sizes are the options'; `interfaces` are the
  // numbers that must have counters of their own.
  static Result<std::unique_ptr<FlowPrograms>> load(const CaptureOptions& options,
                                                    const std::vector<int>& interfaces);
  ~FlowPrograms();
  FlowPrograms(const FlowPrograms&) = delete;
  FlowPrograms& operator=(const FlowPrograms&) = delete;

  // xdp_ingress is -1 where this kernel cannot run it.
  TrackerPrograms trackers() const;
  // What the kernel's jiffies stand for at this moment.
  Result<ClockSample> read_clock();

  // Hands out what the ring holds.
  void consume(const Record& take);

  // Every flow in the table, as it is at about this moment. `take` says whether it is over: those
  // flows are removed and handed to `remove` as they last were.
  struct Walk {
    std::function<bool(const FlowEnds&, const FlowSaved&)> take;
    std::function<void(const FlowEnds&, const FlowSaved&)> remove;
  };
  // How many are left. An error leaves the rest for the next walk.
  Result<std::uint64_t> walk(const Walk& walk);

  // Since the load, over all processors.
  PacketCounts counts(int interface) const;

 private:
  struct Loaded;
  explicit FlowPrograms(std::unique_ptr<Loaded> loaded);

  std::unique_ptr<Loaded> loaded_;
};

}  // namespace beaconry
