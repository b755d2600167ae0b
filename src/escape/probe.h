#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "escape/config.h"
#include "escape/evidence.h"
#include "escape/link.h"
#include "escape/plan.h"

namespace beaconry {

// The probe: its loop between link, segment, plan, conversations and evidence. Everything that
// leaves passes Egress. One thread; run() returns when `stop` says so, or after one short cycle.
class Probe {
 public:
  struct MethodResult {  // for --once
    MethodId method{};
    std::uint64_t tried = 0, answered = 0;
    std::string why_not;
  };
  struct Options {
    ProbeConfig config;
    bool once = false;
    // The time of day: of lines, pings, evidence and the end date. It may jump.
    std::function<Timestamp()> clock;
    // Time since anything that never jumps: all waiting goes by it. Empty: `clock` never jumps.
    std::function<Duration()> elapsed;
    std::function<void(const std::string& line)> say;  // a line a try
    std::function<bool()> stopping;
  };
  static Result<std::unique_ptr<Probe>> make(Options options, Link& link, ProbeEvidence& evidence);
  virtual ~Probe() = default;

  virtual Result<void> run() = 0;
  virtual const Segment& segment() const = 0;
  virtual const Egress::Counters& counters() const = 0;
  virtual std::uint64_t unheard() const = 0;  // frames that the kernel had no room for
  virtual std::vector<MethodResult> results() const = 0;
};

}  // namespace beaconry
