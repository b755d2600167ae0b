#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "escape/method.h"
#include "escape/segment.h"

namespace beaconry {

// Which try comes next: the short cycle when it is due, as fast as it is asked for, the long one in
// between, and the positive control at its own times. Where a short cycle takes longer than its
// period, every fourth try is still one of the long cycle, so that it ends some day. Targets are
// computed, not stored: under 100 bytes a method. A cycle's targets are counted when the method's
// turn comes, from what the segment knows then; the order within the long cycle is a fixed
// permutation, so that neighbouring ports are not tried one after the other and a restart goes on
// where it was. One thread.
class Plan {
 public:
  struct Place {                                    // what survives a restart
    std::uint32_t short_cycle = 0, long_cycle = 0;  // begun
    // Of the long cycle under way: the method whose turn it is, and how many of its tries are done.
    // None: the long cycle is complete.
    std::uint64_t long_done = 0;
    MethodId long_method = MethodId::none;
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
  // What happened since it was last asked, for evidence and output. In this order: a cycle that is
  // in two of them began, then skipped, then was completed.
  struct News {
    std::vector<std::pair<CycleKind, std::uint32_t>> begun;
    std::vector<Skipped> skipped;
    std::vector<std::pair<CycleKind, std::uint32_t>> completed;
  };

  // All but `place` outlive this.
  Plan(const ProbeConfig& config, const Segment& segment, const Egress& egress, Place place,
       std::span<const Method* const> methods = methods_table());

  // Nothing: there is nothing to do before due().
  std::optional<Next> next(Timestamp now);
  // kLatest: never again.
  Timestamp due() const;
  News take_news() { return std::exchange(news_, {}); }
  Place place() const;
  bool completed_a_short_cycle() const { return completed_short_; }  // for --once

  // How many tries each method makes in a cycle, for the plan that people approve; and, where that
  // is none, why.
  std::uint64_t tries(const Method& method, CycleKind kind) const;
  std::string why_none(const Method& method, CycleKind kind) const;

 private:
  struct Cycle {
    CycleKind kind = CycleKind::short_cycle;
    std::uint32_t number = 0;  // begun, this one included
    bool under_way = false;
    Timestamp due = kEarliest;  // when the next may begin
    std::size_t at = 0;         // the method whose turn it is
    bool counted = false;       // `count` is that method's
    std::uint64_t count = 0, index = 0;
    std::uint64_t done = 0;      // tries made of it
    std::uint64_t made = 0;      // of these, before a restart: passed over once more
    std::uint64_t left_out = 0;  // of its targets: the kernel owns the address for them
    Segment seen;  // as it was when they were counted: what is learnt meanwhile shifts no index
  };

  TargetCount count(const Method& method, CycleKind kind) const;
  bool kernel_owns_way_to(const Target& target) const;
  std::optional<Next> next_control(Timestamp now);
  std::optional<Next> next_of(Cycle& cycle, Timestamp now);
  std::optional<Next> next_target(Cycle& cycle, const Method& method);
  void begin(Cycle& cycle, Timestamp now);
  void end_turn(Cycle& cycle);
  bool is_over(Timestamp now) const { return config_.end && now >= *config_.end; }

  const ProbeConfig& config_;
  const Segment& segment_;
  const Egress& egress_;
  std::span<const Method* const> methods_;
  Cycle short_, long_;
  const Method* control_ = nullptr;
  Timestamp control_due_ = kEarliest;
  unsigned turn_ = 0;  // of an overdue short cycle
  bool over_ = false, completed_short_ = false;
  News news_;
};

// The i-th of 0..count-1 in a fixed order in which neighbours stand far apart: each comes once.
// REQUIRES i < count <= 2^32.
std::uint64_t spread_out(std::uint64_t i, std::uint64_t count);

}  // namespace beaconry
