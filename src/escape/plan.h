#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "escape/method.h"

namespace beaconry {

// Which try comes next: the short cycle when it is due, the long one in between. Targets are
// computed, not stored: under 100 bytes a method. A cycle's targets are counted when the method's
// turn comes, from what the segment knows then; the order within the long cycle is a fixed
// permutation of the ports, so that neighbouring ports are not tried one after the other and a
// restart goes on where it was. One thread.
class Plan {
 public:
  struct Place {                                    // what survives a restart
    std::uint32_t short_cycle = 0, long_cycle = 0;  // begun
    std::uint64_t long_done = 0;                    // tries of the long cycle under way
  };
  struct Next {
    const Method* method = nullptr;
    Target target;
    CycleKind kind = CycleKind::short_cycle;
    std::uint32_t cycle = 0;
  };
  struct Skipped {
    MethodId method{};
    CycleKind kind{};
    std::uint32_t cycle = 0;
    std::string why;
  };
  // What happened since it was last asked, for evidence and output.
  struct News {
    std::vector<Skipped> skipped;
    std::vector<std::pair<CycleKind, std::uint32_t>> completed;
  };

  Plan(const ProbeConfig& config, const Segment& segment, const Egress& egress, Place place);

  // Nothing: there is nothing to do before due().
  std::optional<Next> next(Timestamp now);
  Timestamp due() const;
  News take_news();
  Place place() const;
  bool completed_a_short_cycle() const;  // for --once

  // How many tries each method makes in a cycle, for the plan that people approve.
  std::uint64_t tries(const Method& method, CycleKind kind) const;
};

}  // namespace beaconry
