#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "config/document_history.h"
#include "fleet/document_text.h"
#include "fleet/fleet.h"

namespace beaconry {
namespace {

constexpr std::string_view kSensor = "sensor:", kGroup = "group:";

// What people read: the sensor's name, not its key.
std::string layer_name(const std::string& target) {
  return target.starts_with(kSensor) ? "sensor" : target;
}

std::vector<std::string> instances_gone(const std::vector<DocumentInstance>& before,
                                        const std::vector<DocumentInstance>& after) {
  std::vector<std::string> names;
  for (const DocumentInstance& one : before) {
    if (std::none_of(after.begin(), after.end(),
                     [&](const DocumentInstance& other) { return other.name == one.name; }))
      names.push_back(one.name);
  }
  return names;
}

}  // namespace

Result<std::string> Fleet::resolve(const std::string& target) const {
  if (target == "fleet") return target;
  const auto refuse = [&](ErrorKind kind, std::string cause) {
    return fail(kind, "find", "the document of " + terminal_safe(target), std::move(cause));
  };
  if (target.starts_with(kGroup)) {
    if (book()->group(std::string_view(target).substr(kGroup.size())) != nullptr) return target;
    return refuse(ErrorKind::not_found, "there is no such group");
  }
  if (!target.starts_with(kSensor))
    return refuse(ErrorKind::usage, "write fleet, group:NAME or sensor:NAME");
  const Found sensor = store_->find(target.substr(kSensor.size()));
  if (!sensor) return refuse(ErrorKind::not_found, "there is no such sensor");
  return std::string(kSensor) + sensor->fingerprint;
}

std::vector<Fleet::Found> Fleet::reached(const LayerBook& book, const std::string& target) const {
  if (target.starts_with(kSensor)) {
    const Found one = store_->find(target.substr(kSensor.size()));
    return one ? std::vector<Found>{one} : std::vector<Found>{};
  }
  std::vector<Found> all = store_->sensors();
  std::erase_if(all, [&](const Found& each) {
    return !book.reaches(target, {each->fingerprint, each->labels});
  });
  return all;
}

Result<void> Fleet::no_rollout(const std::string& target) const {
  const auto rollout = rollouts_->under_way(target);
  if (!rollout) return {};
  return fail(ErrorKind::conflict, "change", "the document of " + terminal_safe(target),
              "rollout " + std::to_string(*rollout) + " of it is under way: wait, or abort it");
}

// What an edit would make: `made`, with `next` for the layers.
Result<Fleet::Edited> Fleet::try_edit(const Edit& edit, const std::string& target, Made& made,
                                      std::shared_ptr<const LayerBook>& next) const {
  if (auto is_free = no_rollout(target); !is_free)
    return tl::unexpected<Error>(std::move(is_free.error()));
  const auto current = documents_->current(target);
  if (!current) return tl::unexpected<Error>(current.error());
  Edited out;
  out.version = *current ? (*current)->number : 0;
  out.before = *current ? (*current)->json : "{}";
  if (edit.expected && *edit.expected != out.version) {
    return fail(ErrorKind::conflict, "change", "the document of " + terminal_safe(edit.target),
                "its version is " + std::to_string(out.version) + ", not " +
                    std::to_string(*edit.expected) + ": read it again, then decide");
  }
  auto given = parse_object(edit.document, edit.target);
  if (!given) return tl::unexpected<Error>(std::move(given.error()));
  if (edit.is_patch) {
    auto whole = nlohmann::json::parse(out.before, nullptr, false);
    whole.merge_patch(*given);
    *given = std::move(whole);
  }
  out.after = text_of(*given);
  if (auto right = check_layer({layer_name(target), out.after}); !right)
    return tl::unexpected<Error>(std::move(right.error()));
  auto book = std::make_shared<LayerBook>(*this->book());
  book->set(target, out.after);
  const std::vector<Found> sensors = reached(*book, target);
  made = make(*book, sensors, target);
  next = std::move(book);
  if (auto fits = refuse_new_faults(made); !fits)
    return tl::unexpected<Error>(std::move(fits.error()));
  out.sensors = sensors.size();
  if (*current && (*current)->json == out.after) return out;
  static_cast<Effect&>(out) = effect(sensors, made);
  return out;
}

Fleet::Effect Fleet::effect(const std::vector<Found>& sensors, const Made& made) const {
  Effect out;
  out.sensors = sensors.size();
  std::map<std::string_view, const MergedLayers*> merged;
  for (const FleetStore::Wanted& each : made.wanted)
    merged[each.fingerprint] = each.merged.get();
  // Sensors of equal layers share their documents: each two are compared once.
  std::map<std::pair<const MergedLayers*, const MergedLayers*>, std::vector<std::string>> gone;
  for (const Found& sensor : sensors) {
    const auto found = merged.find(sensor->fingerprint);
    const std::string& had = sensor->wish.document();
    if (found == merged.end() || had == found->second->json) continue;
    if (out.changed.size() < kShown) {
      auto lines = json_diff(had.empty() ? R"({"instances":{}})" : had, found->second->json);
      if (!lines.empty()) out.changed.emplace_back(sensor->name, std::move(lines));
    }
    const MergedLayers* before = sensor->wish.merged.get();
    const auto [at, is_new] = gone.try_emplace({before, found->second});
    if (is_new && before != nullptr)
      at->second = instances_gone(before->instances, found->second->instances);
    for (const std::string& name : at->second) {
      if (out.lost.size() < kMostLost) out.lost.push_back(name + '@' + sensor->name);
    }
  }
  return out;
}

Result<Fleet::Edited> Fleet::edit(const Edit& edit, Timestamp now) {
  const std::lock_guard one(changing_);
  return edit_locked(edit, now);
}

Result<Fleet::Edited> Fleet::edit_locked(const Edit& edit, Timestamp now) {
  const auto target = resolve(edit.target);
  if (!target) return tl::unexpected<Error>(target.error());
  Made made;
  std::shared_ptr<const LayerBook> next;
  auto out = try_edit(edit, *target, made, next);
  if (!out || edit.dry_run) return out;
  const auto kept = documents_->put(*target, out->after, edit.who, edit.how, now);
  if (!kept) return tl::unexpected<Error>(kept.error());
  const bool is_new = kept->number != out->version;
  out->version = kept->number;
  // `made` knows of no rollout: who went back to what was keeps it until there is another document.
  if (!is_new) return out;
  if (auto done = take(std::move(next), made, now); !done)
    return tl::unexpected<Error>(std::move(done.error()));
  tell("desired", edit.target, "version " + std::to_string(out->version));
  return out;
}

Result<Fleet::Document> Fleet::document(const std::string& target,
                                        std::optional<std::uint64_t> version) const {
  const auto key = resolve(target);
  if (!key) return tl::unexpected<Error>(key.error());
  Document out;
  out.target = target;
  if (version) {
    auto found = documents_->version(*key, *version);
    if (!found) return tl::unexpected<Error>(std::move(found.error()));
    out.version = std::move(*found);
  } else {
    auto found = documents_->current(*key);
    if (!found) return tl::unexpected<Error>(std::move(found.error()));
    out.version.json = "{}";
    if (*found) out.version = std::move(**found);
  }
  out.rollout = rollouts_->under_way(*key);
  for (const Found& sensor : reached(*book(), *key))
    out.sensors.push_back(sensor->name);
  return out;
}

Result<std::vector<FleetDocuments::Version>> Fleet::history(const std::string& target) const {
  const auto key = resolve(target);
  if (!key) return tl::unexpected<Error>(key.error());
  return documents_->history(*key);
}

Result<Fleet::Edited> Fleet::roll_back(const std::string& target, std::uint64_t version,
                                       const std::string& who, Timestamp now,
                                       std::optional<std::uint64_t> expected) {
  const auto key = resolve(target);
  if (!key) return tl::unexpected<Error>(key.error());
  const auto old = documents_->version(*key, version);
  if (!old) return tl::unexpected<Error>(old.error());
  Edit back;
  back.target = target;
  back.document = old->json;
  back.expected = expected;
  back.who = who;
  back.how = "rollback";
  return edit(back, now);
}

}  // namespace beaconry
