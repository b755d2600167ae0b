#include "sdk/health_history.h"

#include <algorithm>

namespace beaconry::sdk {
namespace {

void take_worst_part(Health& health) {
  const Health* worst = nullptr;
  for (Health& part : health.parts) {
    take_worst_part(part);
    if (worst == nullptr || is_worse(part.state, worst->state)) worst = &part;
  }
  if (worst == nullptr) return;
  // An author who says nothing of the whole leaves it to the parts.
  const bool is_open = health.state == HealthState::unknown && health.cause.empty();
  if (!is_open && !is_worse(worst->state, health.state)) return;
  health.state = worst->state;
  if (!health.cause.empty()) return;
  health.cause = worst->cause;
  health.evidence = worst->evidence;
  health.fix = worst->fix;
}

}  // namespace

Health HealthHistory::complete(Health health, const std::string& instance, Timestamp now) {
  if (health.name.empty()) health.name = instance;
  take_worst_part(health);
  States fresh;
  date(health, "", now, fresh);
  seen_ = std::move(fresh);  // what is not told any more is forgotten
  return health;
}

void HealthHistory::date(Health& health, const std::string& path, Timestamp now,
                         States& fresh) const {
  const std::string own = path + "/" + health.name;
  const auto before = seen_.find(own);
  if (health.since == Timestamp{}) {
    const bool is_same = before != seen_.end() && before->second.state == health.state;
    // A clock that was set back: not since a time that is still to come.
    health.since = is_same ? std::min(before->second.since, now) : now;
  }
  fresh[own] = {health.state, health.since};
  for (Health& part : health.parts)
    date(part, own, now, fresh);
}

}  // namespace beaconry::sdk
