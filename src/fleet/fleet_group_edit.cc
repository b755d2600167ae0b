#include <algorithm>

#include "base/text.h"
#include "fleet/fleet.h"

namespace beaconry {
namespace {

constexpr std::string_view kGroup = "group:";

}  // namespace

Result<Fleet::Effect> Fleet::set_group(const FleetGroups::Group& group, Timestamp now,
                                       bool dry_run) {
  if (auto right = check_group_name(group.name); !right)
    return tl::unexpected<Error>(std::move(right.error()));
  const std::lock_guard one(changing_);
  const auto before = book();
  auto next = std::make_shared<LayerBook>(*before);
  next->set_group(group);
  // A group that was there once brings back its document.
  const std::string target = std::string(kGroup) + group.name;
  if (before->group(group.name) == nullptr) {
    auto document = documents_->current(target);
    if (!document) return tl::unexpected<Error>(std::move(document.error()));
    if (*document) next->set(target, std::move((*document)->json));
  }
  std::vector<Found> sensors = store_->sensors();
  std::erase_if(sensors, [&](const Found& each) {
    const LayerBook::Sensor sensor{each->fingerprint, each->labels};
    return !before->reaches(target, sensor) && !next->reaches(target, sensor);
  });
  const Made made = make(*next, sensors);
  if (auto fits = refuse_new_faults(made); !fits)
    return tl::unexpected<Error>(std::move(fits.error()));
  Effect out = effect(sensors, made);
  if (dry_run) return out;
  auto done = groups_->put(group);
  if (done) done = take(std::move(next), made, now);
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  tell("desired", target, "group");
  return out;
}

Result<Fleet::Effect> Fleet::remove_group(const std::string& name, const std::string& who,
                                          Timestamp now, bool dry_run) {
  const std::lock_guard one(changing_);
  const std::string target = std::string(kGroup) + name;
  const auto before = book();
  if (before->group(name) == nullptr)
    return fail(ErrorKind::not_found, "remove", "group " + terminal_safe(name), "there is none");
  if (auto is_free = no_rollout(target); !is_free)
    return tl::unexpected<Error>(std::move(is_free.error()));
  const std::vector<Found> sensors = reached(*before, target);
  auto next = std::make_shared<LayerBook>(*before);
  next->remove_group(name);
  const Made made = make(*next, sensors);
  if (auto fits = refuse_new_faults(made); !fits)
    return tl::unexpected<Error>(std::move(fits.error()));
  Effect out = effect(sensors, made);
  if (dry_run) return out;
  // One of this name that somebody makes later begins with nothing.
  if (before->document(target)) {
    const auto emptied = documents_->put(target, "{}", who, "api", now);
    if (!emptied) return tl::unexpected<Error>(emptied.error());
  }
  auto done = groups_->remove(name);
  if (done) done = take(std::move(next), made, now);
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  tell("desired", target, "removed");
  return out;
}

}  // namespace beaconry
