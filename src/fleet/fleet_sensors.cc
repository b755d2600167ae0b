#include "base/text.h"
#include "fleet/fleet.h"

namespace beaconry {
namespace {

constexpr unsigned kMostTries = 1000;

// Edges may have longer names than sensors; there must be room for a number behind it.
std::string fitting_name(const std::string& name) {
  constexpr std::size_t kRoom = 5;
  const std::string_view all = name;
  std::size_t size = 0;
  for (std::uint32_t character = 0; size < all.size();) {
    const std::size_t length = utf8_length(all.substr(size), character);
    if (length == 0 || size + length > FleetStore::kLongestName - kRoom) break;
    size += length;
  }
  return name.substr(0, size);
}

}  // namespace

Result<Fleet::Found> Fleet::need(const std::string& fingerprint_or_name) const {
  Found sensor = store_->find(fingerprint_or_name);
  if (sensor) return sensor;
  return fail(ErrorKind::not_found, "find", "sensor '" + terminal_safe(fingerprint_or_name) + '\'',
              "there is none of this name or key");
}

Result<std::string> Fleet::enrol(const std::string& fingerprint, const std::string& name,
                                 Timestamp now) {
  const std::lock_guard one(changing_);
  if (!store_->find(fingerprint)) {
    const std::string base = fitting_name(name);
    std::string own = base;
    for (unsigned i = 2; store_->has_name(own) && i < kMostTries; ++i)
      own = base + '-' + std::to_string(i);
    if (auto done = store_->enrol(fingerprint, own, now); !done)
      return tl::unexpected<Error>(std::move(done.error()));
  }
  const Found sensor = store_->find(fingerprint);
  note(fingerprint);
  if (auto done = remake({sensor}, now); !done)
    return tl::unexpected<Error>(std::move(done.error()));
  return sensor->name;
}

Result<void> Fleet::rename(const std::string& fingerprint, const std::string& name) {
  const std::lock_guard one(changing_);
  note(fingerprint);
  return store_->rename(fingerprint, name);
}

Result<Fleet::Effect> Fleet::change_labels(const std::string& fingerprint,
                                           const LabelChanges& changes, Timestamp now,
                                           bool dry_run) {
  const std::lock_guard one(changing_);
  const Found sensor = store_->find(fingerprint);
  if (!sensor)
    return fail(ErrorKind::not_found, "label", "sensor " + terminal_safe(fingerprint),
                "there is none of this key");
  Labels labels = sensor->labels;
  for (const auto& [key, value] : changes) {
    if (value) {
      labels[key] = *value;
    } else {
      labels.erase(key);
    }
  }
  if (auto right = check_labels(labels); !right)
    return tl::unexpected<Error>(std::move(right.error()));
  // Other labels are other groups, whose documents may not fit.
  auto labelled = std::make_shared<FleetStore::Sensor>(*sensor);
  labelled->labels = labels;
  const Made made = make(*book(), {labelled});
  if (auto fits = refuse_new_faults(made); !fits)
    return tl::unexpected<Error>(std::move(fits.error()));
  Effect out = effect({sensor}, made);
  if (dry_run) return out;
  auto done = store_->set_labels(fingerprint, labels);
  if (done) {
    note(fingerprint);
    done = take(nullptr, made, now);
  }
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  return out;
}

Result<void> Fleet::forget(const std::string& fingerprint, Timestamp now) {
  const std::lock_guard one(changing_);
  const Found sensor = store_->find(fingerprint);
  const std::string own = "sensor:" + fingerprint;
  lines_.close(fingerprint);
  if (auto done = rollouts_->forget(own, "its sensor was revoked", now); !done) return done;
  if (auto done = documents_->forget(own); !done) return done;
  if (auto done = store_->forget(fingerprint); !done) return done;
  lines_.close(fingerprint);  // one that it opened meanwhile
  auto next = std::make_shared<LayerBook>(*book());
  next->set(own, {});
  if (sensor) tell("sensor", sensor->name, "forgotten");
  const std::lock_guard lock(mutex_);
  book_ = std::move(next);
  faults_.erase(fingerprint);
  return {};
}

Result<void> Fleet::expect_replacement(const std::string& fingerprint, const std::string& token,
                                       Timestamp expires, Timestamp now) {
  return replacements_->expect({token, fingerprint, {}}, expires, now);
}

Result<std::optional<Fleet::Replaced>> Fleet::replace(const std::string& token,
                                                      const std::string& machine, Timestamp now) {
  const std::lock_guard one(changing_);
  const auto found = replacements_->redeem(token, machine);
  if (!found) return tl::unexpected<Error>(found.error());
  // The same machine again is the same sensor.
  if (!*found || (*found)->sensor == machine) return std::optional<Replaced>{};
  const Replaced out{token, (*found)->sensor, machine};
  const std::string from = "sensor:" + out.sensor, to = "sensor:" + machine;
  // Each step may have been done before a crash, or a disk that was full; none of them loses
  // anything.
  if (auto done = rollouts_->forget(from, "its machine was replaced", now); !done)
    return tl::unexpected<Error>(std::move(done.error()));
  if (documents_->newest(from) > 0) {
    auto done = rollouts_->forget(to, "it took another machine's place", now);
    if (done) done = documents_->forget(to);
    if (done) done = documents_->move(from, to);
    if (!done) return tl::unexpected<Error>(std::move(done.error()));
  }
  const auto own = documents_->current(to);
  if (!own) return tl::unexpected<Error>(own.error());
  auto next = std::make_shared<LayerBook>(*book());
  next->set(from, {});
  next->set(to, *own ? (*own)->json : std::string());
  if (store_->find(out.sensor)) {
    if (auto done = store_->hand_over(out.sensor, machine, now); !done)
      return tl::unexpected<Error>(std::move(done.error()));
  }
  lines_.close(out.sensor);
  const Found sensor = store_->find(machine);
  if (sensor) {
    auto done = take(next, make(*next, {sensor}), now);
    if (!done) return tl::unexpected<Error>(std::move(done.error()));
    note(machine);
  }
  return std::optional<Replaced>(out);
}

}  // namespace beaconry
