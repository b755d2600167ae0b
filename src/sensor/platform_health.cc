#include "sensor/platform_health.h"

#include <utility>

#include "sensor/services/health_tree.h"

namespace beaconry {
namespace {

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
  return room_health("storage pool", "the storage pool", space.used, space.total, days,
                     "remove instruments, shorten their retention, or enlarge the pool");
}

void take(Health& kept, Health seen, Timestamp now) {
  seen.since = seen.state == kept.state && kept.since != Timestamp{} ? kept.since : now;
  kept = std::move(seen);
}

}  // namespace

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
