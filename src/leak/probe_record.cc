#include "leak/probe_record.h"

#include <algorithm>

#include "leak/path.h"

namespace beaconry {

void ProbeRecord::take(const ProbeSchedule& told) {
  schedule = told;
  for (const IpAddress& network : told.known_outer)
    add_network(network);
}

bool ProbeRecord::is_retired(const Observation& seen) const {
  return seen.retired || (schedule.retired && seen.received >= *schedule.retired);
}

bool ProbeRecord::add_network(const IpAddress& outer_source) {
  const IpAddress network = outer_network(outer_source);
  if (networks_.count(network) != 0) return false;
  if (networks_.size() < kMostNetworks) networks_.insert(network);
  return true;
}

void ProbeRecord::add_neighbour(const IpAddress& neighbour) {
  if (neighbour.is_unspecified()) return;
  const auto [at, fresh] = neighbours_.try_emplace(last_byte(neighbour), neighbour);
  if (!fresh && at->second != neighbour) at->second.reset();
}

std::optional<IpAddress> ProbeRecord::neighbour(std::uint8_t byte) const {
  const auto at = neighbours_.find(byte);
  return at == neighbours_.end() ? std::nullopt : at->second;
}

void ProbeRecord::note_cycle(CycleKind kind, std::uint32_t number, Timestamp received) {
  Cycle& cycle = cycles_[static_cast<std::size_t>(kind)];
  if (cycle.number != 0 && number <= cycle.number) {
    if (number == cycle.number) cycle.begun = std::min(cycle.begun, received);
    return;
  }
  if (cycle.number != 0 && received > cycle.begun)
    cycle.measured = (received - cycle.begun) / (number - cycle.number);
  cycle.number = number;
  cycle.begun = received;
}

Duration ProbeRecord::period(CycleKind kind) const {
  const Duration told =
      kind == CycleKind::short_cycle ? schedule.short_period : schedule.long_period;
  // No more than four times what it was told: a probe that pauses keeps no leak open for ever.
  return std::clamp(cycles_[static_cast<std::size_t>(kind)].measured, told, 4 * told);
}

ObservationClass ProbeRecord::classify_token(const Observation& seen) {
  using namespace std::chrono_literals;
  const Timestamp hour = seen.ping.sent;
  const auto excess = clock.excess(hour, seen.received);
  const bool late = excess ? *excess > 1h + LeakBook::kDuplicate : hour + 1h < newest_hour_;
  newest_hour_ = std::max(newest_hour_, hour);
  const std::uint8_t neighbour = last_byte(seen.ping.via);
  const auto [at, first] = tokens_.try_emplace({seen.ping.variant, neighbour}, Token{});
  Token& token = at->second;
  if (late && !first && hour <= token.hour) return ObservationClass::replayed;
  const Duration since = seen.received - token.last;
  if (!late && !first && since <= LeakBook::kDuplicate && since >= -LeakBook::kDuplicate)
    return ObservationClass::duplicate;
  if (!has_second_witness(seen, neighbour)) return ObservationClass::unconfirmed;
  token.hour = std::max(token.hour, hour);
  if (late) return ObservationClass::late;
  token.last = seen.received;
  return ObservationClass::fresh;
}

bool ProbeRecord::has_second_witness(const Observation& seen, std::uint8_t neighbour) {
  constexpr std::chrono::hours kNextHour{2};
  const Witness now{seen.received, seen.ping.variant, seen.source_port, quoted_protocol(seen),
                    seen.ping.sent};
  const auto [at, first] = witnesses_.try_emplace(neighbour, now);
  Witness& before = at->second;
  const Duration apart = seen.received - before.received;
  const auto within = [&](Duration most) { return apart <= most && apart >= -most; };
  const bool near = within(LeakBook::kDuplicate);
  const bool differs =
      before.form != now.form || before.port != now.port || before.protocol != now.protocol;
  if (!first && near && differs) return true;
  if (!first && within(kNextHour) && before.hour != now.hour) return true;
  if (!near) before = now;
  return false;
}

}  // namespace beaconry
