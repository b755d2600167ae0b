#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "exporter.h"
#include "settings.h"
#include "uplink/flow_batch.h"

namespace beaconry {

// Where a collector's events come from: packets, or logs that grow. One thread; events go to the
// exporter from within the calls.
class LiveSource {
 public:
  virtual ~LiveSource() = default;
  LiveSource() = default;
  LiveSource(const LiveSource&) = delete;
  LiveSource& operator=(const LiveSource&) = delete;

  virtual std::string_view mode() const = 0;            // "xdp+tc_egress", ..., "zeek", "suricata"
  virtual std::chrono::milliseconds pause() const = 0;  // between two drains
  virtual void drain(Timestamp now) = 0;
  virtual void report(Timestamp now) = 0;  // before each export
  virtual void finish(Timestamp now) = 0;  // the last call
  virtual std::vector<EdgeCounter> counters() const = 0;
  // Of linux/capability.h, for what the calls above and the destructor do.
  virtual std::vector<unsigned> capabilities() const = 0;
};

// By the settings' source. The exporter outlives it.
Result<std::unique_ptr<LiveSource>> open_source(const CollectorSettings& settings, Spool& spool,
                                                Exporter& exporter);

}  // namespace beaconry
