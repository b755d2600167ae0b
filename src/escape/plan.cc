#include "escape/plan.h"

#include <algorithm>
#include <numeric>

namespace beaconry {
namespace {

// Of an overdue short cycle's tries, one in so many is the long cycle's.
constexpr unsigned kLongShare = 4;

constexpr const char* kKernelOwned =
    "the kernel owns the address and would reset what the probe opens; leave it to DHCP or give "
    "the probe one of its own in 'addresses'";

}  // namespace

std::uint64_t spread_out(std::uint64_t i, std::uint64_t count) {
  // Multiples of a step near the golden section spread best; without a common factor they meet
  // every place once.
  constexpr double kGoldenSection = 0.6180339887498949;
  auto step = static_cast<std::uint64_t>(static_cast<double>(count) * kGoldenSection);
  step = std::max<std::uint64_t>(step, 1);
  while (std::gcd(step, count) != 1)
    ++step;
  return i * step % count;
}

Plan::Plan(const ProbeConfig& config, const Segment& segment, const Egress& egress, Place place,
           std::span<const Method* const> methods)
    : config_(config), segment_(segment), egress_(egress), methods_(methods) {
  short_.number = place.short_cycle;
  long_.kind = CycleKind::long_cycle;
  long_.number = place.long_cycle;
  for (std::size_t i = 0; i < methods_.size(); ++i) {
    if (methods_[i]->id == MethodId::control && config_.control) control_ = methods_[i];
    if (methods_[i]->id != place.long_method || place.long_cycle == 0) continue;
    long_.under_way = true;
    long_.at = i;
    long_.made = place.long_done;
  }
}

TargetCount Plan::count(const Method& method, CycleKind kind) const {
  std::string why = egress_.why_forbidden(method.id, method.traits);
  if (!why.empty()) return {0, std::move(why)};
  const auto& own = segment_.own();
  const bool has_own =
      std::any_of(own.begin(), own.end(), [](const auto& one) { return !one.kernel_owned; });
  if (method.needs_own_address && !own.empty() && !has_own) return {0, kKernelOwned};
  TargetCount count = method.count(Scope{config_, segment_, kind});
  if (count.count == 0 && count.why_none.empty()) count.why_none = "there is nothing to try it on";
  return count;
}

std::uint64_t Plan::tries(const Method& method, CycleKind kind) const {
  return count(method, kind).count;
}

std::string Plan::why_none(const Method& method, CycleKind kind) const {
  return count(method, kind).why_none;
}

bool Plan::kernel_owns_way_to(const Target& target) const {
  const auto own = segment_.own_for(target.via.is_unspecified() ? target.destination : target.via);
  return own && own->kernel_owned;
}

std::optional<Plan::Next> Plan::next(Timestamp now) {
  over_ = is_over(now);
  if (over_) return std::nullopt;
  // A clock that was set back must not make us wait for the time that it has repeated.
  for (Cycle* cycle : {&short_, &long_}) {
    if (cycle->due > now + config_.short_period) cycle->due = now;
  }
  if (auto control = next_control(now)) return control;
  if (!short_.under_way && now >= short_.due) begin(short_, now);
  const bool overdue = short_.under_way && now >= short_.due;
  const bool long_first = overdue && ++turn_ % kLongShare == 0;
  for (Cycle* cycle : {long_first ? &long_ : &short_, long_first ? &short_ : &long_}) {
    if (cycle == &long_ && !config_.long_cycle) continue;
    if (cycle == &long_ && !long_.under_way && now >= long_.due) begin(long_, now);
    if (!cycle->under_way) continue;
    if (auto found = next_of(*cycle, now)) return found;
  }
  return std::nullopt;
}

Timestamp Plan::due() const {
  if (over_) return kLatest;
  if (short_.under_way || (config_.long_cycle && long_.under_way)) return kEarliest;
  Timestamp due = short_.due;
  if (config_.long_cycle) due = std::min(due, long_.due);
  if (control_ != nullptr) due = std::min(due, control_due_);
  return due;
}

Plan::Place Plan::place() const {
  Place place{short_.number, long_.number, 0, MethodId::none};
  if (long_.under_way && long_.at < methods_.size()) {
    place.long_method = methods_[long_.at]->id;
    place.long_done = std::max(long_.done, long_.made);
  }
  return place;
}

std::optional<Plan::Next> Plan::next_control(Timestamp now) {
  if (control_ == nullptr) return std::nullopt;
  if (now < control_due_ && control_due_ <= now + config_.control->every) return std::nullopt;
  control_due_ = now + config_.control->every;
  const std::uint32_t cycle = std::max<std::uint32_t>(short_.number, 1);
  const TargetCount targets = count(*control_, CycleKind::short_cycle);
  if (targets.count == 0) {
    news_.skipped.push_back({MethodId::control, CycleKind::short_cycle, cycle, targets.why_none});
    return std::nullopt;
  }
  const Target target = control_->target(Scope{config_, segment_, CycleKind::short_cycle}, 0);
  if (control_->needs_own_address && kernel_owns_way_to(target)) {
    news_.skipped.push_back({MethodId::control, CycleKind::short_cycle, cycle, kKernelOwned});
    return std::nullopt;
  }
  return Next{control_, target, CycleKind::short_cycle, cycle};
}

void Plan::begin(Cycle& cycle, Timestamp now) {
  const Timestamp due = now + config_.short_period;
  cycle = {cycle.kind, cycle.number + 1, true, due, 0, false, 0, 0, 0, 0, 0, {}};
  news_.begun.emplace_back(cycle.kind, cycle.number);
}

void Plan::end_turn(Cycle& cycle) {
  ++cycle.at;
  cycle.counted = false;
  cycle.index = cycle.done = cycle.made = cycle.left_out = 0;
}

std::optional<Plan::Next> Plan::next_of(Cycle& cycle, Timestamp now) {
  for (; cycle.at < methods_.size(); end_turn(cycle)) {
    const Method& method = *methods_[cycle.at];
    if (method.id == MethodId::control) continue;
    if (!cycle.counted) {
      TargetCount targets = count(method, cycle.kind);
      if (targets.count == 0) {
        news_.skipped.push_back({method.id, cycle.kind, cycle.number, std::move(targets.why_none)});
        continue;
      }
      cycle.seen = segment_;
      cycle.count = targets.count;
      cycle.counted = true;
    }
    if (auto found = next_target(cycle, method)) return found;
    if (cycle.left_out > 0) {
      news_.skipped.push_back({method.id, cycle.kind, cycle.number,
                               std::to_string(cycle.left_out) + " of " +
                                   std::to_string(cycle.count) + " targets: " + kKernelOwned});
    }
  }
  cycle.under_way = false;
  // A long cycle without a single try must not begin again and again.
  if (cycle.kind == CycleKind::long_cycle) cycle.due = now + config_.short_period;
  if (cycle.kind == CycleKind::short_cycle) completed_short_ = true;
  news_.completed.emplace_back(cycle.kind, cycle.number);
  return std::nullopt;
}

std::optional<Plan::Next> Plan::next_target(Cycle& cycle, const Method& method) {
  const Scope scope{config_, cycle.seen, cycle.kind};
  // Where nothing may be left out, what was done before a restart is passed over at once.
  if (cycle.index == 0 && cycle.made > 0 && !method.needs_own_address) {
    cycle.index = cycle.done = std::min(cycle.made, cycle.count);
  }
  while (cycle.index < cycle.count) {
    const std::uint64_t i = cycle.index++;
    const std::uint64_t index =
        cycle.kind == CycleKind::long_cycle ? spread_out(i, cycle.count) : i;
    const Target target = method.target(scope, index);
    if (method.needs_own_address && kernel_owns_way_to(target)) {
      ++cycle.left_out;
      continue;
    }
    if (++cycle.done <= cycle.made) continue;
    return Next{&method, target, cycle.kind, cycle.number};
  }
  return std::nullopt;
}

}  // namespace beaconry
