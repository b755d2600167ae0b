#include "sensor/platform_health.h"

#include <cstdint>
#include <cstdio>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr double kDaysTight = 3, kPercentTight = 90, kPercentFull = 97;

Health runtime_of(const std::string& fault) {
  Health health;
  health.name = "runtime";
  health.state = fault.empty() ? HealthState::healthy : HealthState::failed;
  if (fault.empty()) return health;
  health.cause = "the runtime is away";
  health.evidence = fault;
  health.fix = "start it; instruments run on, and are followed once it answers";
  return health;
}

Health pool_of(const PoolSpace& space, std::optional<double> days) {
  Health health;
  health.name = "storage pool";
  health.state = HealthState::healthy;
  if (space.total == 0) return health;
  const double used = static_cast<double>(space.used), total = static_cast<double>(space.total);
  health.evidence = bytes_in_words(used) + " of " + bytes_in_words(total) + " used";
  if (days) {
    char words[64];
    std::snprintf(words, sizeof words, ", full in %.1f days", *days);
    health.evidence += words;
  }
  const double percent = 100 * used / total;
  if (percent >= kPercentFull)
    health.state = HealthState::failed;
  else if (percent >= kPercentTight || (days && *days < kDaysTight))
    health.state = HealthState::degraded;
  if (health.state == HealthState::healthy) return health;
  health.cause =
      percent >= kPercentFull ? "the storage pool is full" : "the storage pool is nearly full";
  health.fix = "remove instruments, shorten their retention, or enlarge the pool";
  return health;
}

void take(Health& kept, Health seen, Timestamp now) {
  seen.since = seen.state == kept.state && kept.since != Timestamp{} ? kept.since : now;
  kept = std::move(seen);
}

void put_first(Health& whole, const Health& part) {
  if (part.name.empty()) return;
  whole.parts.insert(whole.parts.begin(), part);
  if (part.state == HealthState::healthy || is_worse(whole.state, part.state)) return;
  if (part.state != whole.state) whole.since = part.since;
  whole.state = part.state;
  whole.cause = part.cause;
  whole.evidence = part.evidence;
  whole.fix = part.fix;
}

}  // namespace

void PlatformHealth::see(const std::string& runtime_fault, const PoolSpace& pool,
                         std::optional<double> days_to_full, Timestamp now) {
  take(runtime_, runtime_of(runtime_fault), now);
  take(pool_, pool_of(pool, days_to_full), now);
}

void PlatformHealth::add_to(Health& whole) const {
  put_first(whole, pool_);
  put_first(whole, runtime_);
}

}  // namespace beaconry
