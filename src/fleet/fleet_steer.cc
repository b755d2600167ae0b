#include <algorithm>

#include "fleet/drift.h"
#include "fleet/fleet.h"

namespace beaconry {
namespace {

const DocumentInstance* wish_of(const FleetStore::Sensor& sensor, const std::string& instance) {
  const auto& wished = sensor.wish.instances();
  const auto found = std::find_if(wished.begin(), wished.end(), [&](const DocumentInstance& one) {
    return one.name == instance;
  });
  return found == wished.end() ? nullptr : &*found;
}

// That it says itself that it could not take what it got. Right after it took a version it may
// still speak of the image, and of the configuration, before.
std::string failure_of(const FleetStore::Sensor& sensor) {
  for (const ReportedInstance& one : sensor.said->instances) {
    const DocumentInstance* wished = wish_of(sensor, one.name);
    if (wished == nullptr) continue;
    const bool not_taken = one.update_what == "the server's wish";
    const bool is_this = one.wished_image.empty() || one.wished_image == wished->image;
    if (one.update_state == "FAILED" && (is_this || not_taken))
      return one.name + ": its image was not taken: " + one.update_reason;
    if (one.image != wished->image) continue;
    if (one.config_state == "FAILED" && !one.is_changing() && sensor.memory.tells_of_its_version())
      return one.name + ": its configuration was not taken: " + one.config_reason;
    if (one.state == "BROKEN") return one.name + " is broken: " + one.cause;
  }
  return {};
}

// Taken is not done yet: it has the images, runs what shall run, and applied its configuration.
// What runs there besides is none of a rollout.
bool is_as_wished(const FleetStore::Sensor& sensor) {
  const auto all = drift(sensor.wish.instances(), *sensor.said);
  return std::all_of(all.begin(), all.end(),
                     [](const Difference& one) { return one.kind == Difference::Kind::added; });
}

}  // namespace

RolloutLook Fleet::look(Timestamp now) const {
  const std::set<std::string> in_turn = rollouts_->in_turn();
  const Timestamp opened = opened_;
  RolloutLook look;
  for (const Found& sensor : store_->sensors()) {
    const SensorStanding standing = stand(*sensor, now);
    RolloutSeen& seen = look[sensor->fingerprint];
    seen.reachable =
        standing.state != SensorState::offline && standing.state != SensorState::inactive;
    // A sensor speaks once a minute.
    const bool heard_anew = sensor->memory.heard && *sensor->memory.heard >= opened;
    seen.unknown = !heard_anew && now >= opened && now < opened + kLateAfter;
    seen.healthy = seen.reachable && standing.state != SensorState::unhealthy;
    if (!sensor->said || in_turn.count(sensor->fingerprint) == 0) continue;
    const bool has_newest = sensor->memory.version >= sensor->wish.version;
    const auto& instances = sensor->said->instances;
    seen.current = has_newest && is_as_wished(*sensor) &&
                   std::none_of(instances.begin(), instances.end(),
                                [](const ReportedInstance& one) { return one.is_changing(); });
    // What it says of an older version is of that.
    if (!has_newest) continue;
    seen.failed = failure_of(*sensor);
    for (const ReportedInstance& one : instances) {
      if (wish_of(*sensor, one.name) == nullptr) continue;
      for (const std::string& words : one.wants_approval)
        seen.widened.push_back(one.name + ": " + words);
    }
  }
  return look;
}

Result<void> Fleet::steer(
    const std::function<Result<FleetRollouts::Changed>(FleetRollouts& rollouts)>& call,
    Timestamp now) {
  const std::lock_guard one(changing_);
  return steer_locked(call, now);
}

// Under changing_.
Result<void> Fleet::steer_locked(
    const std::function<Result<FleetRollouts::Changed>(FleetRollouts& rollouts)>& call,
    Timestamp now) {
  const auto changed = call(*rollouts_);
  if (!changed) return tl::unexpected<Error>(changed.error());
  return carry_out(*changed, now);
}

// Under changing_.
Result<void> Fleet::carry_out(const FleetRollouts::Changed& changed, Timestamp now) {
  for (const std::uint64_t id : changed.rollouts) {
    if (const auto summary = rollouts_->summary(id))
      tell("rollout", std::to_string(id), std::string(to_string(summary->phase)));
  }
  std::set<std::string> keys = changed.sensors;
  std::shared_ptr<LayerBook> next;
  for (const std::string& target : changed.targets) {
    auto current = documents_->current(target);
    if (!current) {
      const std::lock_guard lock(mutex_);
      behind_ = true;
      return tl::unexpected<Error>(std::move(current.error()));
    }
    if (!*current) continue;
    if (!next) next = std::make_shared<LayerBook>(*book());
    next->set(target, std::move((*current)->json));
    for (const Found& sensor : reached(*next, target))
      keys.insert(sensor->fingerprint);
  }
  std::vector<Found> sensors;
  for (const std::string& key : keys) {
    if (Found sensor = store_->find(key)) sensors.push_back(std::move(sensor));
  }
  if (sensors.empty() && !next) return {};
  const Made made = make(next ? *next : *book(), sensors);
  return take(std::move(next), made, now);
}

Result<std::uint64_t> Fleet::roll_out(const Edit& edit, RolloutPlan plan, Timestamp now) {
  const std::lock_guard one(changing_);
  const auto target = resolve(edit.target);
  if (!target) return tl::unexpected<Error>(target.error());
  Made made;
  std::shared_ptr<const LayerBook> next;
  const auto tried = try_edit(edit, *target, made, next);
  if (!tried) return tl::unexpected<Error>(tried.error());
  if (plan.sensors.empty()) {
    for (const Found& sensor : reached(*next, *target))
      plan.sensors.push_back(sensor->fingerprint);
  }
  auto id = rollouts_->start({*target, tried->after, edit.who, std::move(plan)}, now);
  if (id) tell("rollout", std::to_string(*id), "running");
  return id;
}

}  // namespace beaconry
